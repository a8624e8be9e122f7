package command_test

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	moby "github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// envProbe makes this test binary, as a container's program, make system calls and say what they answer.
const envProbe = "HULL_TEST_PROBE"

// A forbidden is a system call that docker's default profile refuses, with arguments that would change nothing if it did not.
type forbidden struct {
	name string
	nr   uintptr
	args [4]uintptr
	want unix.Errno
}

const sockALG, sockVSOCK = unix.AF_ALG, unix.AF_VSOCK

// denied are the calls of this machine's own table: the ways out of a container that need the kernel's help (CVE-2026-31431 and its like).
var denied = []forbidden{
	{"socket(AF_ALG)", unix.SYS_SOCKET, [4]uintptr{sockALG, unix.SOCK_SEQPACKET}, unix.EPERM},
	{"socket(AF_VSOCK)", unix.SYS_SOCKET, [4]uintptr{sockVSOCK, unix.SOCK_STREAM}, unix.EPERM},
	{"keyctl", unix.SYS_KEYCTL, [4]uintptr{999}, unix.EPERM},
	{"add_key", unix.SYS_ADD_KEY, [4]uintptr{}, unix.EPERM},
	{"request_key", unix.SYS_REQUEST_KEY, [4]uintptr{}, unix.EPERM},
	{"bpf", unix.SYS_BPF, [4]uintptr{999}, unix.EPERM},
	{"perf_event_open", unix.SYS_PERF_EVENT_OPEN, [4]uintptr{}, unix.EPERM},
	{"userfaultfd", unix.SYS_USERFAULTFD, [4]uintptr{0xffff}, unix.EPERM},
	{"io_uring_setup", unix.SYS_IO_URING_SETUP, [4]uintptr{}, unix.EPERM},
	{"open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT, [4]uintptr{}, unix.EPERM},
	{"mount", unix.SYS_MOUNT, [4]uintptr{}, unix.EPERM},
	{"umount2", unix.SYS_UMOUNT2, [4]uintptr{}, unix.EPERM},
	{"pivot_root", unix.SYS_PIVOT_ROOT, [4]uintptr{}, unix.EPERM},
	{"setns", unix.SYS_SETNS, [4]uintptr{^uintptr(0)}, unix.EPERM},
	{"unshare(NEWUSER)", unix.SYS_UNSHARE, [4]uintptr{unix.CLONE_NEWUSER}, unix.EPERM},
	{"unshare(NEWNS)", unix.SYS_UNSHARE, [4]uintptr{unix.CLONE_NEWNS}, unix.EPERM},
	{"clone(NEWUSER|THREAD)", unix.SYS_CLONE, [4]uintptr{unix.CLONE_NEWUSER | unix.CLONE_THREAD}, unix.EPERM}, // together they are impossible
	{"clone3", unix.SYS_CLONE3, [4]uintptr{}, unix.ENOSYS},                                                    // its flags are behind a pointer: callers are to take clone
	{"init_module", unix.SYS_INIT_MODULE, [4]uintptr{}, unix.EPERM},
	{"kexec_load", unix.SYS_KEXEC_LOAD, [4]uintptr{}, unix.EPERM},
	{"reboot", unix.SYS_REBOOT, [4]uintptr{}, unix.EPERM},
	{"swapon", unix.SYS_SWAPON, [4]uintptr{}, unix.EPERM},
	{"settimeofday", unix.SYS_SETTIMEOFDAY, [4]uintptr{}, unix.EPERM},
}

// probe is the container's program. It makes the calls of the list that the variable names.
func probe() int {
	own := func(nr uintptr, a [4]uintptr) unix.Errno {
		_, _, errno := unix.RawSyscall6(nr, a[0], a[1], a[2], a[3], 0, 0)
		return errno
	}
	list, call := denied, own
	if os.Getenv(envProbe) == "foreign" {
		list, call = deniedElsewhere, elsewhere
	}
	for _, f := range list {
		fmt.Printf("%s: %d\n", f.name, call(f.nr, f.args))
	}
	return 0
}

// probed runs the probe in a container with docker's default capabilities and a profile.
func probed(t *testing.T, which string, profile *specs.LinuxSeccomp) (answers map[string]unix.Errno, code int) {
	t.Helper()
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Args = []string{"/bin/probe"}
		s.Process.Env = append(s.Process.Env, envProbe+"="+which)
		s.Linux.Seccomp = profile
	})
	self, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer self.Close()
	f, err := os.OpenFile(b.bundle+"/rootfs/bin/probe", os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(f, self)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	id := b.id("probe")
	pid, out := b.create(id)
	b.must("start", id)
	code = reap(t, pid)
	b.must("delete", id)
	answers = map[string]unix.Errno{}
	for line := range strings.Lines(contents(t, out)) {
		name, errno, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, err := strconv.Atoi(errno)
		require.NoError(t, err, line)
		answers[name] = unix.Errno(n)
	}
	return answers, code
}

// dockers is docker's default profile for the capabilities of defaultSpec.
func dockers(t *testing.T) *specs.LinuxSeccomp {
	t.Helper()
	p, err := moby.GetDefaultProfile(defaultSpec())
	require.NoError(t, err)
	return p
}

func holds(t *testing.T, list []forbidden, answers map[string]unix.Errno) {
	t.Helper()
	require.Len(t, answers, len(list))
	for _, f := range list {
		require.Equal(t, f.want, answers[f.name], "%s: %v", f.name, answers[f.name])
	}
}

// CVE-2026-31431 and its like: what the kernel has never been meant to offer a container is refused by the filter, not by luck.
func TestAttack36ForbiddenCalls(t *testing.T) {
	answers, code := probed(t, "own", dockers(t))
	require.Zero(t, code)
	holds(t, denied, answers)
}

// Without the filter the same calls answer otherwise: they can be told apart.
func TestAttack36Unfiltered(t *testing.T) {
	answers, code := probed(t, "own", nil)
	require.Zero(t, code)
	for name, want := range map[string]unix.Errno{
		"unshare(NEWUSER)": unix.EINVAL, // the probe has threads
		"clone3":           unix.EINVAL, "clone(NEWUSER|THREAD)": unix.EINVAL, "keyctl": unix.EOPNOTSUPP, "setns": unix.EBADF, "add_key": unix.EFAULT,
	} {
		require.Equal(t, want, answers[name], name)
	}
}

// The same calls by the other tables of the processor: a filter that looks at numbers alone lets them through.
func TestAttack37ForeignCalls(t *testing.T) {
	if len(deniedElsewhere) == 0 {
		t.Skip("this processor has one system call table for us")
	}
	answers, code := probed(t, "foreign", dockers(t))
	require.Zero(t, code)
	holds(t, deniedElsewhere, answers)

	// A profile that names the native table alone: the first call of another one ends the process.
	alone := dockers(t)
	alone.Architectures = nil
	answers, code = probed(t, "foreign", alone)
	require.Equal(t, 128+int(unix.SIGSYS), code)
	require.Empty(t, answers)
}

func TestAttack37Unfiltered(t *testing.T) {
	if len(deniedElsewhere) == 0 {
		t.Skip("this processor has one system call table for us")
	}
	answers, code := probed(t, "foreign", nil)
	require.Zero(t, code)
	require.Equal(t, unix.EINVAL, answers["int80 unshare(NEWUSER)"])
	require.Equal(t, unix.EINVAL, answers["int80 clone3"])
	require.Equal(t, unix.EOPNOTSUPP, answers["int80 keyctl"])
}
