package command_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// fails creates a container that cannot be, and returns the one line that says why. The bench checks that nothing is left.
func (b *bench) createFails(id string, flags ...string) string {
	b.t.Helper()
	return b.fails(append(append([]string{"create", "--bundle", b.bundle}, flags...), id)...)
}

// A program that is not there fails create, in the words that docker's client looks for.
func TestMissingProgram(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, os.WriteFile(b.bundle+"/rootfs/tmp/data", []byte("x"), 0o644))
	require.NoError(t, os.WriteFile(b.bundle+"/rootfs/bin/data", []byte("x"), 0o644))
	require.NoError(t, os.Mkdir(b.bundle+"/rootfs/bin/folder", 0o755))
	for program, want := range map[string]string{
		"nosuch":        `exec: "nosuch": executable file not found in $PATH`,
		"folder":        `exec: "folder": executable file not found in $PATH`,
		"data":          `exec: "data": executable file not found in $PATH`,
		"/nosuch":       `exec: "/nosuch": stat /nosuch: no such file or directory`,
		"/bin":          `exec: "/bin": is a directory`,
		"/tmp/data":     `exec: "/tmp/data": permission denied`,
		"/bin/sh/x":     `exec: "/bin/sh/x": not a directory`,
		"./nosuch":      `exec: "./nosuch": stat ./nosuch: no such file or directory`,
		"../../../../x": `exec: "../../../../x": stat ../../../../x: no such file or directory`,
	} {
		b.spec.Process.Args = []string{program}
		require.Contains(t, b.createFails(b.id("missing")), want)
	}
	b.spec.Process.Args, b.spec.Process.Env = []string{"sh"}, nil
	require.Contains(t, b.createFails(b.id("nopath")), `exec: "sh": executable file not found in $PATH`)
}

// A file that looks executable and is not is seen by execve alone; start says so, and the container has stopped with 126.
func TestNoFormat(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"/tmp/data"} })
	require.NoError(t, os.WriteFile(b.bundle+"/rootfs/tmp/data", []byte("\x01\x02"), 0o755))
	id := b.id("format")
	pid, _ := b.create(id)
	require.Contains(t, b.fails("start", id), `exec: "/tmp/data": exec format error`)
	require.Equal(t, 126, reap(t, pid))
	b.must("delete", id)
}

// Each of these is refused with the field's name.
func TestBadConfig(t *testing.T) {
	b := newBench(t, nil)
	good, err := json.Marshal(b.spec)
	require.NoError(t, err)
	for want, change := range map[string]func(*specs.Spec){
		"ociVersion":           func(s *specs.Spec) { s.Version = "2.0" },
		"root.path":            func(s *specs.Spec) { s.Root = nil },
		"process.args":         func(s *specs.Spec) { s.Process.Args = nil },
		"process.cwd":          func(s *specs.Spec) { s.Process.Cwd = "relative" },
		"process.env[1]":       func(s *specs.Spec) { s.Process.Env[1] = "novalue" },
		"process.oomScoreAdj":  func(s *specs.Spec) { n := 2000; s.Process.OOMScoreAdj = &n },
		"linux: it is missing": func(s *specs.Spec) { s.Linux = nil },
		"process.selinuxLabel": func(s *specs.Spec) { s.Process.SelinuxLabel = "x" },
		"[0] nosuch":           func(s *specs.Spec) { s.Linux.Namespaces[0].Type = "nosuch" },
		"namespaces[6] pid": func(s *specs.Spec) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: "pid"})
		},
		"no mount namespace": func(s *specs.Spec) { s.Linux.Namespaces, s.Hostname = s.Linux.Namespaces[:1], "" },
		"it is to be the":    func(s *specs.Spec) { s.Linux.Namespaces[0].Path = "/proc/self/ns/net" },
		"NOSUCH":             func(s *specs.Spec) { s.Process.Capabilities.Bounding[0] = "NOSUCH" },
		"rlimits[0]": func(s *specs.Spec) {
			s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 2, Hard: 1}}
		},
		"kernel.core_pattern": func(s *specs.Spec) { s.Linux.Sysctl = map[string]string{"kernel.core_pattern": "x"} },
		"neither":             func(s *specs.Spec) { s.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1\n2"} },
		"mounts[7] rel":       func(s *specs.Spec) { s.Mounts = append(s.Mounts, specs.Mount{Destination: "rel", Type: "tmpfs"}) },
		"mounts[7] /x: source: stat /nosuch": func(s *specs.Spec) {
			s.Mounts = append(s.Mounts, specs.Mount{Destination: "/x", Type: "bind", Source: "/nosuch"})
		},
		"mounts[0] /proc: fsconfig": func(s *specs.Spec) { s.Mounts[0].Options = []string{"nosuchoption"} },
		"mounts[7] /mnt: fsopen":    func(s *specs.Spec) { s.Mounts = append(s.Mounts, specs.Mount{Destination: "/mnt", Type: "nosuchfs"}) },
		"rootfsPropagation":         func(s *specs.Spec) { s.Linux.RootfsPropagation = "rnosuch" },
		"--console-socket":          func(s *specs.Spec) { s.Process.Terminal = true },
		"devices[0]":                func(s *specs.Spec) { s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/x", Type: "z"}} },
		"/proc/self/fd/3":           func(s *specs.Spec) { s.Process.Cwd = "/proc/self/fd/3" },
		"hostname: the":             func(s *specs.Spec) { s.Linux.Namespaces = s.Linux.Namespaces[:4] },
		"root.path /nosuch":         func(s *specs.Spec) { s.Root.Path = "/nosuch" },
		"root.path /etc/passwd":     func(s *specs.Spec) { s.Root.Path = "/etc/passwd" },
	} {
		t.Run(want, func(t *testing.T) {
			b.spec = &specs.Spec{}
			require.NoError(t, json.Unmarshal(good, b.spec))
			change(b.spec)
			require.Contains(t, b.createFails(b.id("bad")), want)
			b.noneLeft()
		})
	}
}

func TestBadText(t *testing.T) {
	b := newBench(t, nil)
	good := read(t, b.bundle+"/config.json")
	for want, text := range map[string]string{
		"not JSON":                      good[:len(good)/2],
		"not JSON: invalid character":   "garbage",
		"process.args: a JSON":          strings.Replace(good, `"args":["true"]`, `"args":7`, 1),
		"process.user.uid: a JSON":      strings.Replace(good, `"uid":0`, `"uid":4294967296`, 1),
		"process.user.uid: a JSON numb": strings.Replace(good, `"uid":0`, `"uid":-1`, 1),
		"NUL":                           strings.Replace(good, `"true"`, `"true\u0000"`, 1),
	} {
		require.NotEqual(t, good, text, want)
		require.NoError(t, os.WriteFile(b.bundle+"/config.json", []byte(text), 0o600))
		require.Contains(t, b.createFails(b.prefix+".text"), want)
	}
	require.NoError(t, os.Remove(b.bundle+"/config.json"))
	require.Contains(t, b.createFails(b.prefix+".text"), "config.json: no such file")
}

func TestBadCommandLine(t *testing.T) {
	b := newBench(t, nil)
	for _, id := range []string{"", ".", "..", "a/b", "../x", "a b", "é", strings.Repeat("x", 256)} {
		require.Contains(t, b.createFails(id), "invalid id format")
	}
	require.NoDirExists(t, filepath.Dir(b.root)+"/x")
	for want, args := range map[string][]string{
		"--systemd-cgroup": {"--systemd-cgroup", "state", "x"},
		"--no-pivot":       {"create", "--no-pivot", "x"},
		"no such command":  {"checkpoint", "x"},
		"-nosuch":          {"create", "--nosuch", "x"},
		"0 arguments":      {"state"},
		"--log-format":     {"--log-format", "xml", "state", "x"},
		"--rootless":       {"--rootless", "perhaps", "state", "x"},
		"--preserve-fds":   {"create", "--bundle", b.bundle, "--preserve-fds", "9", "x"},
		"--console-socket": {"create", "--bundle", b.bundle, "--console-socket", "/nosuch/socket", "x"},
		"signal 65":        {"kill", "x", "65"},
	} {
		require.Contains(t, b.fails(args...), want)
	}
}

// The last error is the last line of the log, in the form that shims read.
func TestLog(t *testing.T) {
	b := newBench(t, nil)
	log := t.TempDir() + "/log"
	line := b.fails("--log", log, "--log-format", "json", "state", "nosuch")
	var entry struct{ Level, Msg, Time string }
	require.NoError(t, json.Unmarshal([]byte(read(t, log)), &entry))
	require.Equal(t, "error", entry.Level)
	require.Equal(t, "hull-runc: "+entry.Msg, line)
	require.NotEmpty(t, entry.Time)
}

// An image may hold links wherever a directory is expected. None leads to the host.
func TestHostileRoot(t *testing.T) {
	canary := t.TempDir()
	require.NoError(t, os.WriteFile(canary+"/file", []byte("untouched"), 0o644))
	up := strings.Repeat("../", 20) + canary[1:]
	for name, c := range map[string]struct {
		links  map[string]string
		change func(*specs.Spec)
		want   string // the error, or "" if the container is made inside its root
	}{
		"proc":          {links: map[string]string{"proc": "tmp"}, want: "/proc: openat2: too many levels of symbolic links"},
		"proc absolute": {links: map[string]string{"proc": "/tmp"}, want: "/proc: openat2: too many levels of symbolic links"},
		"sys":           {links: map[string]string{"sys": "tmp"}, want: "/sys: openat2: too many levels of symbolic links"},
		"dev":           {links: map[string]string{"dev": up}, want: "/dev: openat2: too many levels of symbolic links"},
		"dev without tmpfs": {links: map[string]string{"dev": up}, change: func(s *specs.Spec) {
			s.Mounts = s.Mounts[:1]
		}, want: "openat2: too many levels of symbolic links"},
		"target up":       {links: map[string]string{"vol": up}, change: func(s *specs.Spec) { s.Mounts = append(s.Mounts, specs.Mount{Destination: "/vol/sub", Type: "tmpfs"}) }},
		"target absolute": {links: map[string]string{"vol": canary}, change: func(s *specs.Spec) { s.Mounts = append(s.Mounts, specs.Mount{Destination: "/vol/sub", Type: "tmpfs"}) }},
		"file target": {links: map[string]string{"etc/hosts": up + "/file"}, change: func(s *specs.Spec) {
			s.Mounts = append(s.Mounts, specs.Mount{Destination: "/etc/hosts", Type: "bind", Source: "/etc/hostname"})
		}},
		"cwd":    {links: map[string]string{"w": up}, change: func(s *specs.Spec) { s.Process.Cwd = "/w/made" }},
		"passwd": {links: map[string]string{"etc/passwd": "/etc/passwd"}},
		"masked": {links: map[string]string{"secret": up}, change: func(s *specs.Spec) { s.Linux.MaskedPaths = []string{"/secret/file", "/secret"} }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			if c.change != nil {
				c.change(b.spec)
			}
			for from, to := range c.links {
				path := filepath.Join(b.bundle, "rootfs", from)
				require.NoError(t, os.RemoveAll(path))
				require.NoError(t, os.Symlink(to, path))
			}
			id := b.id("hostile")
			_, errs, err := b.run("create", "--bundle", b.bundle, "--pid-file", b.bundle+"/pid", id)
			switch {
			case c.want != "":
				require.Error(t, err)
				require.Contains(t, errs, c.want)
				require.Equal(t, 1, strings.Count(errs, "\n"))
			case err == nil:
				s := b.status(id)
				b.must("delete", id)
				reap(t, s.Pid)
			default:
				require.Contains(t, errs, "runc.init.") // refused inside the child is as good as made inside the root
			}
			entries, err := os.ReadDir(canary)
			require.NoError(t, err)
			require.Len(t, entries, 1, "something was made on the host")
			require.Equal(t, "untouched", read(t, canary+"/file"))
		})
	}
}
