package command_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// weakened builds the runtime without the protections that the tag takes away: the same attack must succeed against it, or its test proves
// nothing.
func weakened(t *testing.T) string {
	t.Helper()
	probetest.Need(t, "root", "peers")
	return probetest.Build(t, "hull-runc", "weakened")
}

// thief is a container's first process. It takes hold of the executable of every newcomer that is not busybox, and then tries to write to
// it until it is no longer busy. /caught has a line for each that it held, /stolen one for each that it wrote to, /said the errors.
const thief = `
while :; do for p in /proc/[0-9]*; do
	[ $p = /proc/1 ] && continue
	[ $p/exe -ef /bin/busybox ] && continue
	{
		echo held >>/caught
		n=0
		while [ $n -lt 1000 ]; do
			echo stolen >>/proc/self/fd/9 && echo stolen >>/stolen && break
			n=$((n+1))
		done
	} 9<$p/exe
done; done 2>>/said`

// stealExe executes a script for /proc/self/exe in the thief's container, and reports how often the thief held the runtime, and whether the
// binary has changed.
func stealExe(t *testing.T, bin string, rounds int) (held int, stolen bool, said string) {
	b, id, _ := running(t, func(s *specs.Spec) { s.Process.Args = []string{"sh", "-c", thief} }, bin)
	script := filepath.Join(b.bundle, "rootfs/tmp/script")
	require.NoError(t, os.WriteFile(script, []byte("#!/proc/self/exe\n"), 0o755))
	before := read(t, b.bin)
	caught := func() int {
		text, _ := os.ReadFile(b.bundle + "/rootfs/caught")
		return strings.Count(string(text), "\n")
	}
	// On a busy machine the thief looks less often: then there are more chances, up to a bound that only ends a test which would never end.
	for n := 0; n < rounds || caught() < rounds/2 && n < 20*rounds; n++ {
		b.exits(id, "/tmp/script")
		if stolen = read(t, b.bin) != before; stolen {
			break
		}
	}
	b.must("kill", id, "KILL")
	return caught(), stolen, read(t, b.bundle+"/rootfs/said")
}

// CVE-2019-5736: the container's program is a script for /proc/self/exe, so that the kernel executes the runtime inside; a process there
// opens it, and overwrites it on the host when it is no longer busy.
func TestAttack01ProcSelfExe(t *testing.T) {
	rounds := probetest.Rounds(t, 50)
	held, stolen, said := stealExe(t, hullRunc(t), rounds)
	require.False(t, stolen, "the runtime's binary on the host has changed")
	require.True(t, strings.Contains(said, "Read-only file system"), "what is not busy any more is read-only")
	require.GreaterOrEqual(t, held, rounds/2, "the thief has hardly seen the runtime")
	t.Logf("%d executions, the runtime held %d times", rounds, held)
}

func TestAttack01Weakened(t *testing.T) {
	held, stolen, _ := stealExe(t, weakened(t), 500)
	require.True(t, stolen, "held %d times", held)
}

// watcher is a container's first process that looks at every newcomer, again and again. /early has a line for each look at one that is not
// executing its program yet; /hits one for each thing of the host's that was in reach: its root or working directory, a descriptor, its
// memory. /seen has a file for each newcomer that was looked at.
const watcherScript = `
mkdir /seen
while :; do for p in /proc/[0-9]*; do
	[ $p = /proc/1 ] && continue
	read name <$p/comm || continue
	case $name in hull-runc*) echo early >>/early;; esac
	[ -e $p/root/CANARY ] && echo root >>/hits
	[ -e $p/cwd/CANARY ] && echo cwd >>/hits
	for f in $p/fd/*; do
		case ${f##*/} in [3-9]|[1-5][0-9]) echo descriptor >>/hits;; esac
	done
	{ read name <$p/comm; case $name in hull-runc*) echo memory >>/hits;; esac; } 3>>$p/mem
	: >/seen/${p##*/}
done; done 2>/dev/null`

// watchJoins executes a program that ends when the watcher has looked at it, again and again, and returns what the watcher got hold of.
func watchJoins(t *testing.T, bin string, rounds int, caps *specs.LinuxCapabilities, until func(hits string) bool) (early int, hits string) {
	canary := filepath.Join(t.TempDir(), "canary") // on the host
	require.NoError(t, os.WriteFile(canary, []byte("in sight\n"), 0o644))
	b, id, _ := running(t, func(s *specs.Spec) {
		if caps != nil {
			s.Process.Capabilities = caps
		}
		s.Process.Args = []string{"sh", "-c", strings.ReplaceAll(watcherScript, "CANARY", canary[1:])}
	}, bin)
	file := func(name string) string {
		text, _ := os.ReadFile(b.bundle + "/rootfs/" + name)
		return string(text)
	}
	for range rounds {
		_, errs, code := b.exits(id, "sh", "-c", "until [ -e /seen/$$ ]; do :; done; rm /seen/$$")
		require.Equal(t, 0, code, errs)
		if until != nil && until(file("hits")) {
			break
		}
	}
	b.must("kill", id, "KILL")
	return strings.Count(file("early"), "\n"), file("hits")
}

// CVE-2016-9962: a process that joins a container is in its pid namespace before it executes the container's program. Whoever can look at
// it then finds the host's descriptors and root directory, or takes hold of it.
func TestAttack03Joining(t *testing.T) {
	rounds := probetest.Rounds(t, 50)
	early, hits := watchJoins(t, hullRunc(t), rounds, nil, nil)
	require.Empty(t, hits)
	require.NotZero(t, early, "the watcher never saw a process that joins")
	t.Logf("%d joins, %d looks at one before it was executing", rounds, early)
}

// With CAP_SYS_PTRACE the container may take hold of what joins it. There is nothing of the host's in it.
func TestAttack03JoiningTraced(t *testing.T) {
	early, hits := watchJoins(t, hullRunc(t), probetest.Rounds(t, 50), watcher(), nil)
	require.Empty(t, strings.ReplaceAll(hits, "memory\n", ""))
	require.NotZero(t, early, "the watcher never saw a process that joins")
}

func TestAttack03Weakened(t *testing.T) {
	early, hits := watchJoins(t, weakened(t), 500, nil, func(hits string) bool {
		return strings.Contains(hits, "descriptor") && strings.Contains(hits, "memory")
	})
	require.Contains(t, hits, "descriptor", "%d looks", early)
	require.Contains(t, hits, "memory", "%d looks", early)
}
