package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"hull/runc/seccomp"
	"hull/stages/probe"
	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// doctor runs `hull doctor` by way of a command that may take something away from it, and returns its lines by their names.
func doctor(t *testing.T, cmd *exec.Cmd) (lines map[string]probe.Result, code int) {
	t.Helper()
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	err := cmd.Run()
	require.NotNil(t, cmd.ProcessState, "%v", err)
	require.Empty(t, text.String())
	lines = map[string]probe.Result{}
	for dec := json.NewDecoder(&out); dec.More(); {
		var r probe.Result
		require.NoError(t, dec.Decode(&r))
		lines[r.Name] = r
		if r.Answer == probe.Yes {
			require.Empty(t, r.Cost+r.Remedy, r.Name)
		} else {
			require.NotEmpty(t, r.Detail, r.Name)
			require.NotEmpty(t, r.Cost, r.Name)
			require.NotEmpty(t, r.Remedy, r.Name)
		}
	}
	return lines, cmd.ProcessState.ExitCode()
}

func hullDoctor() *exec.Cmd {
	return exec.Command(filepath.Join(bin, "hull"), "doctor", "--format", "json")
}

// refused asserts that a line is a no, with its errno's name.
func refused(t *testing.T, lines map[string]probe.Result, errno string, names ...string) {
	t.Helper()
	for _, name := range names {
		require.Equal(t, probe.No, lines[name].Answer, name)
		require.Contains(t, lines[name].Detail, errno, name)
	}
}

// TestDoctor: where the other tests of this package pass, doctor says that containers can run; and it leaves nothing.
func TestDoctor(t *testing.T) {
	probetest.Need(t, "root")
	lines, code := doctor(t, hullDoctor())
	require.Zero(t, code, "%v", lines)
	for _, r := range lines {
		require.False(t, r.Needed && r.Answer != probe.Yes, "%v", r)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	require.NotContains(t, string(mounts), "hull-doctor")
	groups, err := filepath.Glob("/sys/fs/cgroup/*/hull-doctor-*")
	require.NoError(t, err)
	require.Empty(t, groups)
	links, err := os.ReadDir("/sys/class/net")
	require.NoError(t, err)
	for _, l := range links {
		require.NotEqual(t, "hull-doctor", l.Name())
	}
	text, err := exec.Command(filepath.Join(bin, "hull"), "doctor").Output()
	require.NoError(t, err)
	require.Contains(t, string(text), "Containers can run here.")
}

// TestDoctorInsideUserNamespace: root there is no root of the machine. What is over the namespace itself works, what is over the machine does not.
func TestDoctorInsideUserNamespace(t *testing.T) {
	probetest.Need(t, "root")
	cmd := hullDoctor()
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: 0, Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: 0, Size: 1}},
	}
	lines, code := doctor(t, cmd)
	require.Equal(t, 1, code)
	refused(t, lines, "user namespace", "root")
	refused(t, lines, "EPERM", "device nodes", "BPF raw tracepoints")
	require.Equal(t, probe.Yes, lines["CAP_SYS_ADMIN"].Answer)
	require.Equal(t, probe.Yes, lines["mount"].Answer)
}

// TestDoctorWithoutCapabilities: the capability's own line says no, and so does what needs it.
func TestDoctorWithoutCapabilities(t *testing.T) {
	probetest.Need(t, "root")
	drop := "-net_admin,-mknod,-setpcap"
	lines, code := doctor(t, exec.Command("setpriv", append([]string{"--inh-caps", drop, "--bounding-set", drop}, hullDoctor().Args...)...))
	require.Equal(t, 1, code)
	refused(t, lines, "not effective", "CAP_NET_ADMIN", "CAP_MKNOD", "CAP_SETPCAP")
	refused(t, lines, "EPERM", "bridge", "veth", "nf_tables", "device nodes", "capability bounding set")
	require.Equal(t, probe.Yes, lines["overlay"].Answer)
}

// TestDoctorAsOrdinaryUser: what a user may not try is unknown, and no is not said of it.
func TestDoctorAsOrdinaryUser(t *testing.T) {
	probetest.Need(t, "root")
	cmd := hullDoctor()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	lines, code := doctor(t, cmd)
	require.Equal(t, 1, code)
	refused(t, lines, "uid 65534", "root")
	for _, name := range []string{"mount", "overlay", "bridge", "device nodes"} {
		require.Equal(t, probe.Unknown, lines[name].Answer, name)
		require.Contains(t, lines[name].Remedy, "root", name)
	}
	require.Equal(t, probe.Yes, lines["openat2"].Answer)
}

// TestDoctorUnderFilter: a call that a seccomp filter takes away (another engine's, usually) is found out by trying it, whatever the kernel's version.
func TestDoctorUnderFilter(t *testing.T) {
	probetest.Need(t, "root")
	for _, c := range []struct {
		call  string
		errno unix.Errno
		lines []string
	}{
		{"fsopen", unix.ENOSYS, []string{"new mount API", "mount_setattr", "overlay lowerdir+", "procfs pidns="}},
		{"openat2", unix.ENOSYS, []string{"openat2"}},
		{"clone3", unix.ENOSYS, []string{"clone3", "CLONE_INTO_CGROUP"}},
		{"bpf", unix.EPERM, []string{"BPF raw tracepoints", "BPF ring buffer"}},
		{"pidfd_open", unix.EPERM, []string{"pidfd"}},
		{"unshare", unix.EPERM, []string{"overlay", "bridge"}},
		{"close_range", unix.ENOSYS, []string{"close_range"}},
		{"faccessat2", unix.ENOSYS, []string{"faccessat2"}},
	} {
		cmd := hullDoctor()
		var lines map[string]probe.Result
		var code int
		under(t, c.call, c.errno, func() { lines, code = doctor(t, cmd) })
		refused(t, lines, unix.ErrnoName(c.errno), c.lines...)
		require.Equal(t, map[bool]int{true: 1}[lines[c.lines[0]].Needed], code, c.call)
		require.Equal(t, probe.Yes, lines["CAP_SYS_ADMIN"].Answer)
	}
}

// under calls f on a thread for which a filter refuses one system call: what f starts inherits it (seccomp(2)).
func under(t *testing.T, call string, errno unix.Errno, f func()) {
	t.Helper()
	ret := uint(errno)
	filter, err := seccomp.Compile(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{map[string]specs.Arch{"amd64": specs.ArchX86_64, "arm64": specs.ArchAARCH64}[runtime.GOARCH]},
		Syscalls: []specs.LinuxSyscall{{Names: []string{call}, Action: specs.ActErrno, ErrnoRet: &ret}},
	})
	require.NoError(t, err)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and its filter with it
		err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if err == nil {
			prog := unix.SockFprog{Len: uint16(len(filter.Insns)), Filter: &filter.Insns[0]}
			err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0)
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	require.NoError(t, <-done)
}

// TestStagesAndExplain: the catalogue at the command line.
func TestStagesAndExplain(t *testing.T) {
	hull := func(args ...string) (string, string, int) {
		cmd := exec.Command(filepath.Join(bin, "hull"), args...)
		var out, text bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &text
		cmd.Run()
		return out.String(), text.String(), cmd.ProcessState.ExitCode()
	}
	out, _, code := hull("stages", "shim")
	require.Zero(t, code)
	require.Contains(t, out, "shim.subreaper")
	require.NotContains(t, out, "runc.create ")
	out, _, code = hull("stages", "--format", "json")
	require.Zero(t, code)
	names := 0
	for dec := json.NewDecoder(strings.NewReader(out)); dec.More(); names++ {
		var row struct{ Name, Stage, Title, Why, Proof string }
		require.NoError(t, dec.Decode(&row))
		require.True(t, strings.HasPrefix(row.Name, row.Stage+"."), row.Name)
		_, text, code := hull("explain", row.Name)
		require.Zero(t, code, text)
	}
	require.Greater(t, names, 60)

	for word, step := range map[string]string{
		"runc.init.pivot_root": "runc.init.pivot_root", "pivot": "runc.init.pivot_root", "shim.sub": "shim.subreaper", "adopt": "shim.adopt", "rncpvt": "runc.init.pivot_root",
	} {
		out, text, code := hull("explain", word)
		require.Zero(t, code, text)
		require.True(t, strings.HasPrefix(out, step+"  "), "%s: %s", word, out)
		for _, line := range strings.Split(out, "\n") {
			require.True(t, len([]rune(line)) <= 80 || strings.HasPrefix(line, "    "), "%s: not wrapped: %q", word, line)
		}
		require.NotContains(t, out, "\x1b")
	}
	_, text, code := hull("explain", "runc.init.s")
	require.Equal(t, 1, code)
	require.Contains(t, text, "runc.init.seccomp\n")
	_, text, code = hull("explain", "zzz")
	require.Equal(t, 1, code)
	require.Contains(t, text, "hull stages")
	_, _, code = hull("stages", "engine")
	require.Equal(t, 1, code)
}
