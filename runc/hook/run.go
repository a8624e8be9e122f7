package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"hull/runc/linux"
	"hull/stages"
	"hull/trace/span"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Streams are the descriptors that the process of a hook is given.
type Streams struct {
	In     int // the state; it becomes standard input
	Out    int // standard output and error
	Report int // the child's reports: see [linux.Program]; closed by execve
}

// A Process is one that has been made to execute a hook: a child of ours, and the leader of a session.
type Process struct {
	Program *linux.Program
	PID     int // 0: it was not born, the report says why
	PIDFD   int
}

// A Place makes the process: in which namespaces, as whom, is its business.
type Place func(h specs.Hook, s Streams) (Process, error)

// Run calls the hooks of one kind one after the other. The first that fails ends it and is the error; with goOn, failures are told to that
// and the others are called all the same.
func (k Kind) Run(ctx context.Context, h *specs.Hooks, state *specs.State, place Place, goOn func(string)) error {
	for i, hook := range k.Of(h) {
		err := run(ctx, fmt.Sprintf("%s %d: %s", k, i, hook.Path), hook, state, place)
		if err != nil && goOn == nil {
			return err
		}
		if err != nil {
			goOn(err.Error())
		}
	}
	return nil
}

// run is one hook, from its making to its end.
func run(ctx context.Context, name string, h specs.Hook, state *specs.State, place Place) (err error) {
	_, sp := span.Start(ctx, stages.RuncHook)
	defer sp.End(&err)
	sp.Instance(name)
	if err := sp.Fault(); err != nil {
		return err
	}
	fail := func(err error, hint string) error {
		return &stages.Error{Step: stages.RuncHook, Kind: stages.Internal, Thing: name, Err: err, Hint: hint}
	}
	in, err := stateFile(state)
	if err != nil {
		return fail(err, "")
	}
	defer unix.Close(in)
	var out, report [2]int
	if err := unix.Pipe2(out[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return fail(fmt.Errorf("pipe2: %w", err), "")
	}
	defer unix.Close(out[0])
	if err := unix.Pipe2(report[:], unix.O_CLOEXEC); err != nil {
		unix.Close(out[1])
		return fail(fmt.Errorf("pipe2: %w", err), "")
	}
	defer unix.Close(report[0])
	// Only our end does not block: the hook may write more at once than a pipe holds.
	_, err = unix.FcntlInt(uintptr(out[1]), unix.F_SETFL, unix.O_WRONLY)
	var p Process
	if err == nil {
		p, err = place(h, Streams{In: in, Out: out[1], Report: report[1]})
	}
	unix.Close(out[1]) // so that the ends of file come when the child is gone
	unix.Close(report[1])
	if err != nil {
		return fail(err, "")
	}
	if p.PID == 0 {
		if err = failure(p.Program, report[0]); err == nil {
			err = errors.New("the joining process ended during its set-up")
		}
		return fail(err, "has the container ended, or a limit struck?")
	}
	defer unix.Close(p.PIDFD)
	sp.SetInt("child.pid", int64(p.PID))
	words, status, late, err := watch(p, out[0], h.Timeout)
	switch {
	case err != nil:
		return fail(err, "")
	case late:
		return fail(fmt.Errorf("it was killed after %d s%s", *h.Timeout, words), "hooks' timeout says how long it may run")
	case status == 0:
		return nil
	}
	if err := failure(p.Program, report[0]); err != nil {
		return fail(err, "")
	}
	if status.Signaled() {
		return fail(fmt.Errorf("signal: %s%s", status.Signal(), words), "")
	}
	return fail(fmt.Errorf("exit status %d%s", status.ExitStatus(), words), "")
}

// stateFile is the state as a file in memory (memfd_create(2), Linux 3.17). A pipe would have to be fed while the hook reads, and a hook that
// does not read would be an error.
func stateFile(state *specs.State) (fd int, err error) {
	text, err := json.Marshal(state)
	if err != nil {
		return -1, err
	}
	if fd, err = unix.MemfdCreate("state", unix.MFD_CLOEXEC); err != nil {
		return -1, fmt.Errorf("memfd_create: %w", err)
	}
	for at := 0; at < len(text); {
		n, err := linux.Retry(func() (int, error) { return unix.Pwrite(fd, text[at:], int64(at)) }) // and the offset stays 0
		if err != nil {
			unix.Close(fd)
			return -1, fmt.Errorf("write the state: %w", err)
		}
		at += n
	}
	return fd, nil
}

// watch waits for the process's end and reaps it. After the timeout (seconds; nil for none) it kills the process and what is in its process
// group, which is all that it started and that did not leave on purpose. words are the end of what the hook printed.
func watch(p Process, out int, timeout *int) (words string, status unix.WaitStatus, late bool, err error) {
	var text []byte
	read := func() (more bool) {
		var b [4096]byte
		n, err := linux.Retry(func() (int, error) { return unix.Read(out, b[:]) })
		text = append(text, b[:max(n, 0)]...)
		text = text[max(0, len(text)-keep):]
		return err == nil && n > 0
	}
	fds := []unix.PollFd{{Fd: int32(p.PIDFD), Events: unix.POLLIN}, {Fd: int32(out), Events: unix.POLLIN}}
	begin := time.Now()
	for fds[0].Revents == 0 && !late {
		wait := -1
		if timeout != nil {
			left := time.Duration(*timeout)*time.Second - time.Since(begin)
			wait = int(min(max(left, 0).Milliseconds()+1, math.MaxInt32))
			late = left <= 0
		}
		if late {
			unix.Kill(-p.PID, unix.SIGKILL) // setsid(2) has made its number the group's; a child that is not reaped keeps it
			unix.PidfdSendSignal(p.PIDFD, unix.SIGKILL, nil, 0)
			break
		}
		if _, err := linux.Retry(func() (int, error) { return unix.Poll(fds, wait) }); err != nil {
			return "", 0, false, fmt.Errorf("poll: %w", err)
		}
		if fds[1].Revents != 0 && fds[0].Revents == 0 && !read() {
			fds[1].Fd = -1 // closed: nothing more can come, and poll would spin
		}
	}
	var ws unix.WaitStatus
	if _, err := linux.Retry(func() (int, error) { return unix.Wait4(p.PID, &ws, 0, nil) }); err != nil {
		return "", 0, false, fmt.Errorf("wait4: %w", err)
	}
	for read() { // what it had said by then; a process that it left behind may still hold the other end
	}
	if line := bytes.TrimSpace(text); len(line) > 0 {
		words = ": " + strings.ReplaceAll(string(line), "\n", "; ")
	}
	return words, ws, late, nil
}

// keep is how much of what a hook prints is kept for the error: the end of it, in bytes.
const keep = 512

// failure is what the child reported before it could become the hook; nil if nothing went wrong until then.
func failure(p *linux.Program, report int) error {
	for {
		r, ok, err := linux.ReadReport(report)
		switch {
		case err != nil:
			return err
		case !ok:
			return nil
		case r.Start || r.Warn:
			continue
		}
		return fmt.Errorf("%s: %w", p.Rows[r.Row].Name, r.Errno)
	}
}
