package vmtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hull/stages/probetest"
)

// A Package is one package's tests, to be run in a guest.
type Package struct {
	Dir  string // below the project's root
	Run  string // as go test's -run; "" is all
	Skip string // as go test's -skip
}

// packages is the script that runs the test binaries. What a package's tests leave in the machine is said after them; a cgroup that is the
// machine's own would be among it, but the machine has none.
const packages = `
echo "machine: Linux $(uname -r), $(sed -n 's/^\([^ ]*\) [^ ]* \(cgroup2*\) .*/\2/p' /proc/mounts | sort -u | tr '\n' ' ')($(cat /sys/fs/cgroup/cgroup.controllers))"
export HULL_BIN=/vm/bin HULL_TOOLS=/vm/tools
left() { find /sys/fs/cgroup -mindepth 1 -type d | sed 's/^/cgroup /'; cut -d' ' -f2 /proc/mounts | sort | sed 's/^/mount /'; }
left >/run/before
while read -r dir run skip; do
  echo "vmtest: package $dir"
  cd "/vm/src/$dir"
  "/vm/tests/$dir.test" -test.v=test2json -test.run "$run" -test.skip "$skip" -test.timeout 20m
  code=$?
  left | grep -vxFf /run/before | sed 's/^/vmtest: left /'
  echo "vmtest: code $code"
done <<'LIST'
`

// Test runs the packages' tests in the machine, in their order, and reports each test as a subtest PACKAGE/TEST with its output. binaries are
// those of ours that the tests ask probetest.Build for, as NAME or NAME,TAG. A package that leaves a cgroup or a mount behind fails.
func (m Machine) Test(t *testing.T, binaries []string, list ...Package) {
	t.Helper()
	probetest.Need(t, "qemu", "vm")
	files := maps.Clone(m.Files)
	if files == nil {
		files = map[string]string{}
	}
	dir := t.TempDir()
	for _, name := range binaries {
		words := strings.Split(name, ",")
		files["/vm/bin/"+name] = probetest.Build(t, words[0], words[1:]...)
	}
	files["/vm/tools/bin/busybox"] = probetest.VM() + "/busybox"
	files["/vm/src/go.mod"] = filepath.Join(probetest.Root(), "go.mod")
	m.Script += packages
	for i, p := range list {
		files["/vm/tests/"+p.Dir+".test"] = TestBinary(t, p.Dir)
		here := filepath.Join(dir, fmt.Sprint(i)) // so that the directory is there
		if err := os.WriteFile(here, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		files["/vm/src/"+p.Dir+"/package"] = here
		m.Script += fmt.Sprintln(p.Dir, orAll(p.Run), orNone(p.Skip))
	}
	m.Script += "LIST\n"
	m.Files = files
	out, _ := m.Run(t)
	first, _, _ := strings.Cut(out, "\n")
	t.Log(first)
	for _, p := range list {
		t.Run(p.Dir, func(t *testing.T) { report(t, out, p) })
	}
}

// read splits the script's lines at blanks, so none of the words may be empty.
func orAll(pattern string) string {
	if pattern == "" {
		return "."
	}
	return pattern
}

func orNone(pattern string) string {
	if pattern == "" {
		return "^$"
	}
	return pattern
}

// A result is one test of the guest.
type result struct {
	action, output string
}

// report makes a package's part of the guest's output subtests.
func report(t *testing.T, out string, p Package) {
	_, text, began := strings.Cut(out, "vmtest: package "+p.Dir+"\n")
	text, rest, ended := strings.Cut(text, "vmtest: code ")
	if !began || !ended {
		t.Fatalf("the machine did not get to this package, or not past it:\n%s", out)
	}
	code, _, _ := strings.Cut(rest, "\n")
	text, left, leaves := strings.Cut(text, "vmtest: left ")
	tests := results(t, text)
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			switch r := tests[name]; r.action {
			case "pass":
				t.Log(r.output)
			case "skip":
				t.Skip(r.output)
			default: // fail, or no end at all
				t.Error(r.output)
			}
		})
	}
	if leaves {
		t.Errorf("left behind: %s", left)
	}
	if len(tests) == 0 || code != "0" && !t.Failed() {
		t.Errorf("%d tests, exit %s\n%s", len(tests), code, text)
	}
}

// results reads the output of a test binary as go test does, and gathers it by top-level test.
func results(t *testing.T, text string) map[string]*result {
	cmd := exec.Command("go", "tool", "test2json")
	cmd.Stdin = strings.NewReader(text)
	lines, err := cmd.Output()
	if err != nil {
		t.Fatalf("go tool test2json: %v", err)
	}
	tests := map[string]*result{}
	for _, line := range strings.Split(string(lines), "\n") {
		var e struct{ Action, Test, Output string }
		if json.Unmarshal([]byte(line), &e) != nil || e.Test == "" {
			continue
		}
		name, sub, _ := strings.Cut(e.Test, "/")
		if tests[name] == nil {
			tests[name] = &result{}
		}
		switch e.Action {
		case "output":
			tests[name].output += e.Output
		case "pass", "fail", "skip":
			if sub == "" {
				tests[name].action = e.Action
			}
		}
	}
	return tests
}

// TestBinary compiles a package's tests, statically, into a file of the test's.
func TestBinary(t *testing.T, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(pkg)+".test")
	cmd := exec.Command("go", "test", "-c", "-trimpath", "-o", out, "./"+pkg)
	cmd.Dir = probetest.Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go test -c ./%s: %v\n%s", pkg, err, text)
	}
	return out
}
