package command_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Descriptors that the caller leaks into the runtime do not reach the program; those it is to have do.
func TestAttack04InheritedDescriptors(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Args = []string{"sh", "-c", "for f in /proc/$$/fd/*; do echo ${f##*/}; done; cat <&3"}
	})
	secret := t.TempDir() + "/secret"
	require.NoError(t, os.WriteFile(secret, []byte("given"), 0o600))
	for keep, want := range map[string]string{"0": "0 1 2 3", "1": "0 1 2 3 4 given"} { // the last number is the shell's own, of the directory it reads
		id := b.id("fds" + keep)
		out, errs, pidFile := b.temp(), b.temp(), t.TempDir()+"/pid"
		cmd := exec.Command(b.bin, "--root", b.root, "create", "-b", b.bundle, "--pid-file", pidFile, "--preserve-fds", keep, id)
		cmd.Stdout, cmd.Stderr = out, errs
		for range 20 {
			f, err := os.Open(secret)
			require.NoError(t, err)
			defer f.Close()
			cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		}
		require.NoError(t, cmd.Run(), contents(t, errs))
		pid, err := strconv.Atoi(read(t, pidFile))
		require.NoError(t, err)
		b.must("start", id)
		reap(t, pid)
		b.must("delete", id)
		fds := strings.Fields(contents(t, out))
		kept := fds[:0]
		for _, f := range fds {
			if n, err := strconv.Atoi(f); err != nil || n < 10 { // the shell's own script descriptor is 10 and up
				kept = append(kept, f)
			}
		}
		require.Equal(t, want, strings.Join(kept, " "))
	}
}

// CVE-2019-5736: an image whose program is a script for /proc/self/exe runs our binary inside, and cannot change it.
func TestRuntimeAsInterpreter(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"/tmp/script"} })
	require.NoError(t, os.WriteFile(b.bundle+"/rootfs/tmp/script", []byte("#!/proc/self/exe\n"), 0o755))
	before := read(t, b.bin)
	id := b.id("interpreter")
	pid, _ := b.create(id)
	exe, err := unix.Open(fmt.Sprintf("/proc/%d/exe", pid), unix.O_PATH|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(exe)
	b.must("start", id)
	require.Equal(t, 1, reap(t, pid), "our binary has run, as `hull-runc /tmp/script`, and refused")
	b.must("delete", id)
	_, err = os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", exe), os.O_WRONLY, 0)
	require.ErrorIs(t, err, unix.EROFS)
	require.Equal(t, before, read(t, b.bin))
}

// Page faults are the cost of a short-lived program that repeats, unlike its milliseconds. Measured: 265 and 850, with the second
// execution that seals the binary in the latter.
func TestFaults(t *testing.T) {
	b := newBench(t, nil)
	version := exec.Command(b.bin, "--version")
	require.NoError(t, version.Run())
	require.LessOrEqual(t, faults(version), int64(400), "--version")

	id := b.id("faults")
	pidFile := t.TempDir() + "/pid"
	create := exec.Command(b.bin, "--root", b.root, "create", "-b", b.bundle, "--pid-file", pidFile, id)
	require.NoError(t, create.Run())
	pid, err := strconv.Atoi(read(t, pidFile))
	require.NoError(t, err)
	b.must("start", id)
	reap(t, pid)
	b.must("delete", id)
	require.LessOrEqual(t, faults(create), int64(1200), "create")
}

func faults(cmd *exec.Cmd) int64 { return cmd.ProcessState.SysUsage().(*syscall.Rusage).Minflt }
