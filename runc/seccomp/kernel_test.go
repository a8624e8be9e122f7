package seccomp

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"hull/stages/probetest"
)

// envFilter makes this test binary load the profile that the variable holds, and say what system calls answer under it.
const envFilter = "HULL_SECCOMP_TEST_PROFILE"

func TestMain(m *testing.M) {
	if profile := os.Getenv(envFilter); profile != "" {
		os.Exit(confined(profile))
	}
	os.Exit(m.Run())
}

// A probe is a system call whose answer tells whether the filter let it through. None of them changes anything.
type probe struct {
	name string
	nr   uintptr
	args [3]uintptr
}

const (
	unknownPersonality = 158 // arch_prctl's number: a compiler that compares the argument as a number lets it through
	x32Getpid          = x32Bit | unix.SYS_GETPID
)

var probes = []probe{
	{"getpid", unix.SYS_GETPID, [3]uintptr{}},
	{"clone3", unix.SYS_CLONE3, [3]uintptr{}},
	{"unshare(NEWUSER)", unix.SYS_UNSHARE, [3]uintptr{unix.CLONE_NEWUSER}},
	{"clone(NEWUSER|THREAD)", unix.SYS_CLONE, [3]uintptr{unix.CLONE_NEWUSER | unix.CLONE_THREAD}}, // impossible together: EINVAL without a filter
	{"socket(AF_VSOCK)", unix.SYS_SOCKET, [3]uintptr{unix.AF_VSOCK, 99}},
	{"socket(AF_ALG)", unix.SYS_SOCKET, [3]uintptr{unix.AF_ALG, 99}},
	{"socket(AF_VSOCK|1<<32)", unix.SYS_SOCKET, [3]uintptr{1<<32 | unix.AF_VSOCK, 99}},
	{"socket(AF_UNIX, 99)", unix.SYS_SOCKET, [3]uintptr{unix.AF_UNIX, 99}},
	{"personality(8)", unix.SYS_PERSONALITY, [3]uintptr{8}},
	{"personality(0xffffffff)", unix.SYS_PERSONALITY, [3]uintptr{0xffffffff}},
	{"personality(158)", unix.SYS_PERSONALITY, [3]uintptr{unknownPersonality}},
	{"bpf", unix.SYS_BPF, [3]uintptr{999}},
	{"add_key", unix.SYS_ADD_KEY, [3]uintptr{}},
	{"keyctl", unix.SYS_KEYCTL, [3]uintptr{999}},
	{"mount", unix.SYS_MOUNT, [3]uintptr{}},
	{"no such call", 9999, [3]uintptr{}},
}

// confined is the child.
func confined(profile string) int {
	var p specs.LinuxSeccomp
	if err := json.Unmarshal([]byte(profile), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	f, err := Compile(&p)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	allowed := allowedOf(&p)
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	prog := unix.SockFprog{Len: uint16(len(f.Insns)), Filter: &f.Insns[0]}
	// TSYNC: Go's other threads are to be under the filter as well.
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(f.Flags)|unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&prog))); errno != 0 {
		fmt.Fprintln(os.Stderr, "seccomp:", errno)
		return 2
	}
	if len(os.Args) > 1 && os.Args[1] == "x32" {
		unix.RawSyscall(x32Getpid, 0, 0, 0)
	}
	if len(os.Args) > 1 && os.Args[1] == "numbers" {
		return everyNumber(allowed)
	}
	for _, q := range probes {
		_, _, errno := unix.RawSyscall(q.nr, q.args[0], q.args[1], q.args[2])
		fmt.Printf("%s: %d\n", q.name, errno)
	}
	return 0
}

// confine runs the child under a profile, and returns its output and how it ended.
func confine(t *testing.T, p *specs.LinuxSeccomp, arg ...string) (string, *os.ProcessState) {
	t.Helper()
	text, err := json.Marshal(p)
	require.NoError(t, err)
	cmd := exec.Command("/proc/self/exe", arg...)
	cmd.Env = []string{envFilter + "=" + string(text)}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if _, ended := err.(*exec.ExitError); !ended {
		require.NoError(t, err)
	}
	return string(out), cmd.ProcessState
}

func TestTheKernelTakesDockersFilterAndFollowsIt(t *testing.T) {
	out, state := confine(t, dockers(t, runtime.GOARCH))
	require.True(t, state.Success())
	want := map[string]unix.Errno{
		"getpid": 0, "clone3": unix.ENOSYS, "unshare(NEWUSER)": unix.EPERM, "clone(NEWUSER|THREAD)": unix.EPERM,
		"socket(AF_VSOCK)": unix.EPERM, "socket(AF_ALG)": unix.EPERM, "socket(AF_VSOCK|1<<32)": unix.EPERM,
		"socket(AF_UNIX, 99)": unix.EINVAL, // let through: the kernel has no such type
		"personality(8)":      0, "personality(0xffffffff)": 0, "personality(158)": unix.EPERM,
		"bpf": unix.EPERM, "add_key": unix.EPERM, "keyctl": unix.EPERM, "mount": unix.EPERM, "no such call": unix.EPERM,
	}
	expect := ""
	for _, q := range probes {
		expect += fmt.Sprintf("%s: %d\n", q.name, want[q.name])
	}
	require.Equal(t, expect, out)
}

// Without the filter the same calls answer otherwise: the probes can tell.
func TestTheProbesTellTheDifference(t *testing.T) {
	probetest.Need(t, "root")
	out, state := confine(t, &specs.LinuxSeccomp{DefaultAction: specs.ActAllow})
	require.True(t, state.Success())
	require.Contains(t, out, fmt.Sprintf("clone3: %d\n", unix.EINVAL))
	require.Contains(t, out, fmt.Sprintf("clone(NEWUSER|THREAD): %d\n", unix.EINVAL))
	require.Contains(t, out, fmt.Sprintf("personality(%d): 0\n", unknownPersonality))
	require.Contains(t, out, fmt.Sprintf("no such call: %d\n", unix.ENOSYS))
}

// An asker makes calls of one system call table.
type asker struct {
	call func(nr uint32) call // what the kernel hands the filter
	ask  func(nr uint32) unix.Errno
}

// highestAsked is above every number that a table has today.
const highestAsked = 600

// allowedOf are the calls that the profile lets through, which are not to be tried. And those that x86-64 makes without asking the filter,
// uretprobe and uprobe (Linux 6.14): a kernel's trampoline uses them, and to all others they answer with a signal.
func allowedOf(p *specs.LinuxSeccomp) map[call]bool {
	allowed, r := map[call]bool{}, read(p, runtime.GOARCH)
	for _, table := range askers {
		for nr := range uint32(highestAsked) {
			c := table.call(nr)
			probe := c.arch == unix.AUDIT_ARCH_X86_64 && (c.nr == 335 || c.nr == 336)
			if probe || r.evaluate(c) == unix.SECCOMP_RET_ALLOW {
				allowed[c] = true
			}
		}
	}
	return allowed
}

// everyNumber makes all other calls, and says what they answer.
func everyNumber(allowed map[call]bool) int {
	debug.SetGCPercent(-1) // no new threads meanwhile
	var out []byte
	for name, table := range askers {
		for nr := range uint32(highestAsked) {
			if !allowed[table.call(nr)] {
				out = fmt.Appendf(out, "%s %d: %d\n", name, nr, table.ask(nr))
			}
		}
	}
	for len(out) > 0 {
		n, err := unix.Write(1, out)
		if err != nil {
			return 3
		}
		out = out[n:]
	}
	return 0
}

// Every number of every table that this processor has, on the live kernel: each name has an errno of its own, so that the answer tells which rule
// was found. None of the calls is made, but for those that Go's runtime needs.
func TestTheKernelFindsTheRuleOfEveryNumber(t *testing.T) {
	p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86, specs.ArchX32, specs.ArchARM}}
	needed := []string{
		"write", "exit_group", "futex", "mmap", "munmap", "madvise", "rt_sigreturn", "rt_sigprocmask", "rt_sigaction", "sigaltstack", "sched_yield",
		"nanosleep", "tgkill", "getpid", "gettid", "clone", "mprotect", "epoll_pwait", "read", "clock_gettime", "restart_syscall",
	}
	p.Syscalls = []specs.LinuxSyscall{{Names: needed, Action: specs.ActAllow}}
	for i, s := range syscalls {
		if number := uint(200 + i); !slices.Contains(needed, s.name) {
			p.Syscalls = append(p.Syscalls, specs.LinuxSyscall{Names: []string{s.name}, Action: specs.ActErrno, ErrnoRet: &number})
		}
	}
	out, state := confine(t, p, "numbers")
	require.True(t, state.Success(), out)
	r := read(p, runtime.GOARCH)
	asked := 0
	for line := range strings.Lines(out) {
		var table string
		var nr, errno uint32
		_, err := fmt.Sscanf(line, "%s %d: %d", &table, &nr, &errno)
		require.NoError(t, err, line)
		want := r.evaluate(askers[table].call(nr))
		require.Equal(t, want, unix.SECCOMP_RET_ERRNO|errno, line)
		asked++
	}
	require.Greater(t, asked, 500*len(askers))
	t.Logf("%d numbers of %d tables", asked, len(askers))
}

func TestACallOfAnUnnamedTableEndsTheProcess(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("x32 calls are x86-64's")
	}
	p := dockers(t, runtime.GOARCH)
	_, state := confine(t, p, "x32")
	require.True(t, state.Success(), "x32 is named: the call passes the filter, whether the kernel has it or not")
	p.Architectures = nil
	_, state = confine(t, p, "x32")
	status := state.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled())
	require.Equal(t, unix.SIGSYS, status.Signal())
}
