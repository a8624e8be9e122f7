package linux_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hull/runc/linux"
	"hull/stages"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// spawn runs a program of rows and returns its reports and exit code.
func spawn(t require.TestingT, flags uint64, clock bool, rows func(p *linux.Program)) (p *linux.Program, reports []linux.Report, code int) {
	var pipe [2]int
	require.NoError(t, unix.Pipe2(pipe[:], unix.O_CLOEXEC))
	defer unix.Close(pipe[0])
	p = linux.New(pipe[1])
	rows(p)
	if clock {
		require.NoError(t, p.Clock())
	}
	pid, pidfd, err := p.Spawn(flags, -1)
	unix.Close(pipe[1])
	require.NoError(t, err)
	require.NoError(t, unix.PidfdSendSignal(pidfd, 0, nil, 0), "the pidfd that the kernel has written") // 0 looks only; a zombie is still there
	defer unix.Close(pidfd)
	for {
		r, ok, err := linux.ReadReport(pipe[0])
		require.NoError(t, err)
		if !ok {
			break
		}
		reports = append(reports, r)
	}
	var ws unix.WaitStatus
	_, err = linux.Retry(func() (int, error) { return unix.Wait4(pid, &ws, 0, nil) })
	require.NoError(t, err)
	if ws.Signaled() {
		return p, reports, 128 + int(ws.Signal())
	}
	return p, reports, ws.ExitStatus()
}

func execTrue(p *linux.Program) {
	p.Do(linux.Execve("/bin/true", linux.Strs([]string{"true"}), linux.Strs(nil)))
}

func TestFailureNamesTheRow(t *testing.T) {
	p, reports, code := spawn(t, 0, false, func(p *linux.Program) {
		p.At(stages.RuncInitMounts, "/x")
		p.Do(linux.Umask(0), linux.Chdir("/nosuch"), linux.Umask(0))
	})
	require.Equal(t, 1, code)
	require.Equal(t, []linux.Report{{Row: 1, Errno: unix.ENOENT, Step: stages.RuncInitMounts}}, reports)
	require.Equal(t, `chdir("/nosuch")`, p.Rows[1].String())
}

func TestJumpsCellsAndWarnings(t *testing.T) {
	_, reports, code := spawn(t, 0, false, func(p *linux.Program) {
		fd, dir := linux.Cell(-1), linux.Cell(-1)
		warn := linux.Chdir("/nosuch").Or(unix.ENOENT)
		warn.Warn = true
		p.Do(
			linux.Openat(linux.Cwd(), "/", unix.O_PATH, dir).Skip(1, 0), // succeeds: the next is left out
			linux.GiveUp(unix.EPERM),
			linux.Openat(linux.FD(dir), "nosuch", unix.O_PATH, fd).Or(unix.ENOENT).Skip(0, 1), // excepted: the next is left out
			linux.GiveUp(unix.EPERM),
			linux.Openat(linux.FD(dir), "etc", unix.O_PATH, fd),
			linux.Fchdir(linux.FD(fd)),
			linux.Openat(linux.Cwd(), "passwd", unix.O_PATH, fd), // relative to /etc, where the cell led
			warn,
			p.Ready(),
		)
		execTrue(p)
	})
	require.Equal(t, 0, code)
	require.Equal(t, []linux.Report{{Row: 7, Errno: unix.ENOENT, Warn: true}, {Ready: true}}, reports)
}

func TestClock(t *testing.T) {
	p, reports, code := spawn(t, 0, true, func(p *linux.Program) {
		p.At(stages.RuncInitSession, "")
		p.Do(linux.Setsid())
		p.At(stages.None, "")
		p.Do(linux.Umask(0))
		p.At(stages.RuncInitWorkdir, "/nosuch")
		p.Do(linux.Umask(0), linux.Chdir("/nosuch"))
		p.At(stages.RuncInitUser, "")
		p.Do(linux.Umask(0))
	})
	require.Equal(t, 1, code)
	require.Equal(t, "chdir", p.Rows[reports[0].Row].Name)
	laps := p.Laps()
	require.Len(t, laps, 2)
	require.Equal(t, stages.RuncInitSession, laps[0].Step)
	require.False(t, laps[0].Open)
	require.False(t, laps[0].End.Before(laps[0].Start))
	require.Equal(t, stages.RuncInitWorkdir, laps[1].Step)
	require.True(t, laps[1].Open)
}

// TestStress forks from several threads while others allocate and the collector runs without pause: a child that touched the Go runtime
// would hang or die by a signal.
func TestStress(t *testing.T) {
	probetest.Need(t, "root")
	var stop atomic.Bool
	var busy, forks sync.WaitGroup
	for range 6 {
		busy.Go(func() {
			for !stop.Load() {
				_ = append([][]byte{}, make([]byte, 4096), make([]byte, 100))
				runtime.Gosched()
			}
		})
	}
	busy.Go(func() {
		for !stop.Load() {
			runtime.GC()
		}
	})
	var good atomic.Int32
	const threads, each = 4, 30
	for range threads {
		forks.Go(func() {
			for range each {
				_, reports, code := spawn(t, unix.CLONE_NEWNS|unix.CLONE_NEWUTS|unix.CLONE_NEWIPC|unix.CLONE_NEWPID, false, func(p *linux.Program) {
					for range 100 {
						p.Do(linux.Sethostname("stress"), linux.Umask(0o22))
					}
					p.Do(linux.OpenSignals(), p.Ready())
					execTrue(p)
				})
				if code == 0 && len(reports) == 1 && reports[0].Ready {
					good.Add(1)
				} else {
					t.Errorf("a child ended with %d: %v", code, reports)
				}
			}
		})
	}
	forks.Wait()
	stop.Store(true)
	busy.Wait()
	require.EqualValues(t, threads*each, good.Load())
	host, err := os.Hostname()
	require.NoError(t, err)
	require.NotEqual(t, "stress", host)
}

// TestAbsentThingClaimsNothing: a step whose thing is not there has no lap; the steps around it keep theirs.
func TestAbsentThingClaimsNothing(t *testing.T) {
	p, _, code := spawn(t, 0, true, func(p *linux.Program) {
		p.At(stages.RuncInitWorkdir, "first")
		p.Do(linux.Umask(0))
		for _, path := range []string{"/proc", "/nosuch"} {
			p.At(stages.RuncInitMaskedPaths, path)
			p.Do(linux.Chdir(path).Or(unix.ENOENT).Skip(0, 1).Absent(), linux.Umask(0))
		}
		p.At(stages.RuncInitProgram, "last")
		p.Do(linux.Umask(0))
		execTrue(p)
	})
	require.Zero(t, code)
	var claimed []string
	for _, l := range p.Laps() {
		claimed = append(claimed, l.Instance)
	}
	require.Equal(t, []string{"first", "/proc", "last"}, claimed)
}

// TestGates: each row of a step asks before it runs, what is jumped to asks as well, and an errno in the answer is the row's own failure.
func TestGates(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(pair[0])
	asked := make(chan string, 16)
	go func() {
		defer close(asked)
		for {
			var b [256]byte
			n, err := unix.Read(pair[0], b[:])
			if err != nil || n == 0 {
				return
			}
			asked <- string(b[:n])
			answer := make([]byte, 8)
			if strings.HasPrefix(string(b[:n]), "runc.init.hostname") {
				answer[0], answer[4] = byte(unix.EXDEV), 1
			}
			unix.Write(pair[0], answer)
		}
	}()
	p, reports, code := spawn(t, 0, true, func(p *linux.Program) {
		p.Do(linux.Umask(0)) // of no step
		p.At(stages.RuncInitWorkdir, "/")
		p.Do(linux.Chdir("/nosuch").Or(unix.ENOENT).Skip(0, 1), linux.GiveUp(unix.EPERM), linux.Chdir("/"))
		p.At(stages.RuncInitHostname, "")
		p.Do(linux.Umask(0o22), linux.Umask(0))
		p.Gates(linux.Cell(pair[1]), func(step stages.ID, instance, call string, inner bool) []byte {
			return []byte(fmt.Sprint(step, " ", instance, " ", call, " ", inner))
		})
	})
	unix.Close(pair[1])
	require.Equal(t, 1, code)
	require.Len(t, reports, 1)
	require.Equal(t, unix.EXDEV, reports[0].Errno)
	require.Equal(t, stages.RuncInitHostname, reports[0].Step)
	require.Equal(t, 1, reports[0].Why)
	require.Equal(t, "umask", p.Rows[reports[0].Row].Name)
	var all []string
	for q := range asked {
		all = append(all, q)
	}
	require.Equal(t, []string{`runc.init.workdir / chdir("/nosuch") or ENOENT false`, `runc.init.workdir / chdir("/") true`, `runc.init.hostname  umask(18) false`}, all)
	laps := p.Laps()
	require.Len(t, laps, 2)
	require.True(t, laps[1].Open)
}

// TestGatesWithoutAnybody: if the other end is gone, the gates are open.
func TestGatesWithoutAnybody(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	unix.Close(pair[0])
	_, reports, code := spawn(t, 0, false, func(p *linux.Program) {
		p.At(stages.RuncInitWorkdir, "/")
		p.Do(linux.Chdir("/"), p.Ready())
		execTrue(p)
		p.Gates(linux.Cell(pair[1]), func(stages.ID, string, string, bool) []byte { return []byte("?") })
	})
	unix.Close(pair[1])
	require.Zero(t, code)
	require.Equal(t, []linux.Report{{Ready: true}}, reports)
}
