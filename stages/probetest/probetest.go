// Package probetest lets a test say what it needs of the machine, and skips it by name where the machine lacks that. Where HULL_REQUIRE
// names the need (CI names all of its own), the lack is a failure: coverage cannot rot silently.
package probetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A Probe answers whether the machine has something: "" for yes, or the reason why not.
type Probe func() (lack string)

// probes are the needs a test can name. Each looks at the machine itself, never at a version number.
var probes = map[string]Probe{
	"root": func() string {
		if os.Geteuid() != 0 {
			return "not root"
		}
		return ""
	},
	"peers": func() string {
		if _, err := os.Stat(filepath.Join(Tools(), "usr/bin/ctr")); err != nil {
			return "no " + Tools() + ": run .ci/peers"
		}
		return ""
	},
	"busybox": func() string {
		if _, err := os.Stat(filepath.Join(Tools(), "bin/busybox")); err != nil {
			return "no " + Tools() + "/bin/busybox: run .ci/peers"
		}
		return ""
	},
	"podman": func() string {
		for _, part := range []string{"usr/bin/podman", "usr/bin/conmon", "usr/share/containers/seccomp.json"} {
			if lack := file(filepath.Join(Tools(), part)); lack != "" {
				return lack + ": run .ci/peers"
			}
		}
		return ""
	},
	"memory-v1": func() string { return file("/sys/fs/cgroup/memory/memory.stat") },
	"btf":       func() string { return file("/sys/kernel/btf/vmlinux") },
	"vm": func() string {
		if os.Getenv("HULL_VM_TESTS") == "" {
			return "HULL_VM_TESTS is not set (make test-vm sets it)"
		}
		if _, err := os.Stat(VM() + "/done"); err != nil {
			return "no " + VM() + ": run .ci/vm-parts"
		}
		return ""
	},
	"whole-vm": func() string {
		if os.Getenv("HULL_VM_TESTS") != "all" {
			return "HULL_VM_TESTS is not all (make test-vm sets it)"
		}
		return ""
	},
	"registry": func() string {
		if _, err := os.Stat(filepath.Join(Tools(), "usr/bin/docker-registry")); err == nil {
			return ""
		}
		return program("docker-registry")
	},
	"docker":   func() string { return program("docker") },
	"clang":    func() string { return program("clang") },
	"chromium": func() string { return program("chromium") },
	"qemu":     func() string { return program("qemu-system-x86_64") },
	"node":     func() string { return program("node") },
	"tmux":     func() string { return program("tmux") },
	"uidmap": func() string {
		for _, path := range []string{"/usr/bin/newuidmap", "/usr/bin/newgidmap", "/etc/subuid", "/etc/subgid"} {
			if lack := file(path); lack != "" {
				return lack
			}
		}
		return ""
	},
}

func file(path string) string {
	if _, err := os.Stat(path); err != nil {
		return err.Error()
	}
	return ""
}

func program(name string) string {
	if _, err := exec.LookPath(name); err != nil {
		return err.Error()
	}
	return ""
}

// Need skips the test unless the machine has everything that is named; with HULL_REQUIRE naming it as well, it fails instead.
func Need(t testing.TB, names ...string) {
	t.Helper()
	required := strings.Split(os.Getenv("HULL_REQUIRE"), ",")
	for _, name := range names {
		probe, ok := probes[name]
		if !ok {
			t.Fatalf("probetest: no probe called %q", name)
		}
		lack := probe()
		switch {
		case lack == "":
		case slices.Contains(required, name):
			t.Fatalf("need %s, required here: %s", name, lack)
		default:
			t.Skipf("need %s: %s", name, lack)
		}
	}
}

// Rounds is how often a race is run: ci times in `go test`, or as often as HULL_ATTACK_ROUNDS says (`make attacks` sets it).
func Rounds(t testing.TB, ci int) int {
	t.Helper()
	long := os.Getenv("HULL_ATTACK_ROUNDS")
	if long == "" {
		return ci
	}
	n, err := strconv.Atoi(long)
	if err != nil || n < 1 {
		t.Fatalf("HULL_ATTACK_ROUNDS %q is no number of rounds", long)
	}
	return n
}

// Root is the project's root directory: where go.mod is.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(mod), "module hull\n") {
			return dir
		}
		if dir == "/" {
			panic("probetest: not below the project's root")
		}
		dir = filepath.Dir(dir)
	}
}

// Tools is where .ci/peers unpacks the foreign parts. HULL_TOOLS overrides it (several work trees can share one).
func Tools() string {
	if dir := os.Getenv("HULL_TOOLS"); dir != "" {
		return dir
	}
	return filepath.Join(Root(), ".hull/tools")
}

// VM is where .ci/vm-parts unpacks the parts of virtual machines. HULL_VM overrides it.
func VM() string {
	if dir := os.Getenv("HULL_VM"); dir != "" {
		return dir
	}
	return filepath.Join(Root(), ".hull/vm")
}

// ToolEnv is the environment in which the foreign parts run: theirs first in PATH, their libraries found.
func ToolEnv() []string {
	tools := Tools()
	path := tools + "/usr/bin:" + tools + "/usr/sbin:" + tools + "/bin:" + os.Getenv("PATH")
	return append(os.Environ(), "PATH="+path, "LD_LIBRARY_PATH="+tools+"/usr/lib/x86_64-linux-gnu:"+tools+"/usr/lib/aarch64-linux-gnu")
}

// EnvBin names a directory that holds our binaries already built: a virtual machine has no Go.
const EnvBin = "HULL_BIN"

// Build builds one of our binaries into a directory of the test and returns its path. With a build tag it is another program: that of
// "weakened" lacks protections (docs/attacks.md). In [EnvBin] it is called NAME,TAG.
func Build(t testing.TB, name string, tags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	if bin := os.Getenv(EnvBin); bin != "" {
		text, err := os.ReadFile(filepath.Join(bin, strings.Join(append([]string{name}, tags...), ",")))
		if err == nil {
			err = os.WriteFile(out, text, 0o755)
		}
		if err != nil {
			t.Fatalf("%s: %v", EnvBin, err)
		}
		return out
	}
	cmd := exec.Command("go", "build", "-trimpath", "-tags", strings.Join(tags, ","), "-o", out, "./cmd/"+name)
	cmd.Dir = Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build ./cmd/%s: %v\n%s", name, err, text)
	}
	return out
}
