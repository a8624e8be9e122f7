package command_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// An agent is a seccomp agent: it takes the listener of each process's filter, and answers what the kernel asks. mkdir(2) and its like are
// refused with EOWNERDEAD, an errno that nothing else here gives; all other calls go on.
type agent struct {
	t        *testing.T
	path     string
	listen   *net.UnixListener
	mu       sync.Mutex
	states   []specs.ContainerProcessState
	asked    map[int32]int // system call numbers
	finished sync.WaitGroup
}

// struct seccomp_notif and seccomp_notif_resp, include/uapi/linux/seccomp.h.
type notification struct {
	id         uint64
	pid, flags uint32
	nr         int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

type response struct {
	id    uint64
	val   int64
	error int32
	flags uint32
}

const (
	notifRecv = 0xc0502100 // SECCOMP_IOCTL_NOTIF_RECV
	notifSend = 0xc0182101 // SECCOMP_IOCTL_NOTIF_SEND
)

func newAgent(t *testing.T) *agent {
	a := &agent{t: t, path: filepath.Join(t.TempDir(), "agent"), asked: map[int32]int{}}
	var err error
	a.listen, err = net.ListenUnix("unix", &net.UnixAddr{Name: a.path, Net: "unix"})
	require.NoError(t, err)
	go func() {
		for {
			conn, err := a.listen.AcceptUnix()
			if err != nil {
				return
			}
			a.finished.Add(1)
			go a.serve(conn)
		}
	}()
	t.Cleanup(func() {
		a.listen.Close()
		a.finished.Wait() // each listener has ended with the last process under its filter
	})
	return a
}

// serve takes one state with one descriptor, and the end of the connection; then it answers until no process has the filter any more.
func (a *agent) serve(conn *net.UnixConn) {
	defer a.finished.Done()
	text, control := make([]byte, 1<<16), make([]byte, 64)
	n, m, _, _, err := conn.ReadMsgUnix(text, control)
	if err != nil || n == 0 {
		return // a create that failed before it had a process
	}
	messages, err := unix.ParseSocketControlMessage(control[:m])
	if err != nil || len(messages) != 1 {
		a.t.Errorf("no descriptor came: %v", err)
		return
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		a.t.Errorf("no descriptor came: %v", err)
		return
	}
	defer unix.Close(fds[0])
	var state specs.ContainerProcessState
	if err := json.Unmarshal(text[:n], &state); err != nil {
		a.t.Errorf("the state is no JSON: %v", err)
	}
	if n, err := conn.Read(text); n != 0 || err == nil {
		a.t.Errorf("the connection is to end after the state: %d bytes, %v", n, err)
	}
	a.mu.Lock()
	a.states = append(a.states, state)
	a.mu.Unlock()
	for {
		poll := []unix.PollFd{{Fd: int32(fds[0]), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err != nil && err != unix.EINTR {
			return
		}
		if poll[0].Revents&unix.POLLHUP != 0 {
			return
		}
		var q notification
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fds[0]), notifRecv, uintptr(unsafe.Pointer(&q))); errno != 0 {
			continue // it has been killed meanwhile
		}
		a.mu.Lock()
		a.asked[q.nr]++
		a.mu.Unlock()
		r := response{id: q.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if q.nr == unix.SYS_MKDIRAT || q.nr == mkdir {
			r = response{id: q.id, error: -int32(unix.EOWNERDEAD)}
		}
		unix.Syscall(unix.SYS_IOCTL, uintptr(fds[0]), notifSend, uintptr(unsafe.Pointer(&r)))
	}
}

func (a *agent) told() []specs.ContainerProcessState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]specs.ContainerProcessState{}, a.states...)
}

func (a *agent) heard(nr int32) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[nr]
}

// asking is a profile that asks about these calls and allows all others.
func (a *agent) asking(names ...string) *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, ListenerPath: a.path, ListenerMetadata: "words of the caller's",
		Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActNotify}},
	}
}

// The agent hears of the first process and of one that joins, once each, and decides about their calls: with and without no_new_privs, which
// puts the filter at another place among the rows.
func TestNotify(t *testing.T) {
	for _, nnp := range []bool{false, true} {
		a := newAgent(t)
		b, id, pid := running(t, func(s *specs.Spec) {
			s.Process.Args = []string{"sh", "-c", "mkdir /tmp/first 2> /tmp/said; exec sleep 1000"}
			s.Process.NoNewPrivileges = nnp
			s.Linux.Seccomp = a.asking("mkdir", "mkdirat")
			s.Linux.Seccomp.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagWaitKillableRecv, "SECCOMP_FILTER_FLAG_TSYNC"}
			s.Annotations = map[string]string{"note": strings.Repeat("long ", 1000)}
		})
		out, errs, code := b.exits("--process", b.process(func(p *specs.Process) { p.NoNewPrivileges = nnp }, "mkdir", "/tmp/second"), id)
		require.Equal(t, 1, code, out)
		require.Contains(t, errs, "Owner died")
		require.NoDirExists(t, b.bundle+"/rootfs/tmp/second")
		states := a.told()
		require.Len(t, states, 2)
		first, second := states[0], states[1]
		require.Equal(t, specs.ContainerProcessState{
			Version: specs.Version, Fds: []string{"seccompFd"}, Pid: pid, Metadata: "words of the caller's",
			State: specs.State{Version: "1.0.2", ID: id, Status: specs.StateCreating, Pid: pid, Bundle: b.bundle, Annotations: b.spec.Annotations},
		}, first)
		require.NotEqual(t, pid, second.Pid)
		require.Equal(t, specs.StateRunning, second.State.Status)
		require.Equal(t, pid, second.State.Pid)
		require.Equal(t, "2", statusField(t, pid, "Seccomp"))
		open, err := filepath.Glob("/proc/" + statusField(t, pid, "Pid") + "/fd/*")
		require.NoError(t, err)
		for _, fd := range open {
			to, _ := os.Readlink(fd)
			require.NotContains(t, to, "seccomp", "the process has its own listener")
		}
		b.must("delete", "--force", id)
	}
}

// What the set-up itself does under the filter may be asked about, but for write: nobody waits for anybody.
func TestNotifyAboutTheSetUp(t *testing.T) {
	for _, nnp := range []bool{false, true} {
		a := newAgent(t)
		b := newBench(t, func(s *specs.Spec) {
			s.Process.NoNewPrivileges = nnp
			s.Linux.Seccomp = a.asking("read", "close", "openat", "execve", "prctl", "capset", "rt_sigprocmask", "clone", "sendto", "clock_gettime")
		})
		var out string
		var code int
		b.spansOf(func() { out, code = b.inside("setup", "echo done") }) // traced: rows that take the time are between the others
		require.Equal(t, "done\n", out)
		require.Equal(t, 0, code)
		for _, nr := range []int32{unix.SYS_READ, unix.SYS_CLOSE, unix.SYS_OPENAT, unix.SYS_EXECVE} {
			require.Positive(t, a.heard(nr), nr)
		}
	}
}

// Without an agent there is no container: nothing is left, and the field is named.
func TestNotifyWithoutAnAgent(t *testing.T) {
	a := newAgent(t)
	b := newBench(t, func(s *specs.Spec) { s.Linux.Seccomp = a.asking("mkdir") })
	for want, change := range map[string]func(*specs.LinuxSeccomp){
		"listenerPath /nosuch: no such file":            func(p *specs.LinuxSeccomp) { p.ListenerPath = "/nosuch" },
		"listenerPath /etc/passwd: socket operation on": func(p *specs.LinuxSeccomp) { p.ListenerPath = "/etc/passwd" },
		"listenerPath: SCMP_ACT_NOTIFY wants it":        func(p *specs.LinuxSeccomp) { p.ListenerPath, p.ListenerMetadata = "", "" },
		"SCMP_ACT_NOTIFY cannot be used for write":      func(p *specs.LinuxSeccomp) { p.Syscalls[0].Names = []string{"write"} },
		"WAIT_KILLABLE_RECV: it belongs to": func(p *specs.LinuxSeccomp) {
			p.Syscalls, p.Flags = nil, []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagWaitKillableRecv}
		},
	} {
		b.spec.Linux.Seccomp = a.asking("mkdir")
		change(b.spec.Linux.Seccomp)
		require.Contains(t, b.createFails(b.id("bad")), want)
		require.NoDirExists(t, b.root, want)
	}
	b.spec.Linux.Seccomp = a.asking("mkdir")
	a.listen.SetUnlinkOnClose(false)
	a.listen.Close()
	require.Contains(t, b.createFails(b.id("gone")), "listenerPath "+a.path+": connection refused")
	require.Empty(t, a.told())
}
