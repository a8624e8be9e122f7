package container

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"hull/runc/linux"
	"hull/runc/process"
	"hull/stages"
	"hull/trace/span"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// spawn clones the first process, lets it run its program, and waits for its report. A child that failed has been reaped.
func (t *initTable) spawn(ctx context.Context) (pid, pidfd int, err error) {
	ctx, sp := span.Start(ctx, stages.RuncNsCreate)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return pid, pidfd, err
	}
	ours, theirs, err := t.channel()
	if err != nil {
		return 0, -1, err
	}
	defer unix.Close(ours)
	gate := span.OpenGate(ctx)
	if gate != nil {
		defer unix.Close(gate.FD)
		t.gate = linux.Cell(gate.FD)
	}
	for _, wait := range []struct {
		needed bool
		pipe   *[2]int
	}{{t.hasUsers(), &t.asking}, {t.hasCreateHooks(), &t.hold}} {
		if !wait.needed {
			continue
		}
		if err := unix.Pipe2(wait.pipe[:], unix.O_CLOEXEC); err != nil {
			unix.Close(theirs)
			return 0, -1, fmt.Errorf("pipe2: %w", err)
		}
		defer unix.Close(wait.pipe[0])
		defer unix.Close(wait.pipe[1])
	}
	prog, err := t.program(theirs)
	if err == nil && gate != nil {
		prog.Gates(t.gate, gate.Question)
	}
	if err == nil && sp != nil {
		err = prog.Clock()
	}
	if err != nil {
		unix.Close(theirs)
		return 0, -1, err
	}
	runtime.LockOSThread() // never unlocked: the thread's children are born in the joined pid namespace
	if err := t.namespaces.EnterPID(); err != nil {
		unix.Close(theirs)
		return 0, -1, err
	}
	into := -1
	if t.cgroupInto != nil {
		into = int(t.cgroupInto.Fd())
	}
	flags := t.clone()
	if t.namespaces.Staged() {
		flags = 0 // they are for the process that the child clones
	}
	pid, pidfd, err = prog.Spawn(flags, into)
	unix.Close(theirs)
	if err != nil {
		return 0, -1, cloneError(err, flags)
	}
	first, asked := pid, false
	sp.SetInt("child.pid", int64(pid))
	_, start := processStat(pid)
	for {
		r, ok, rerr := linux.ReadReport(ours)
		if newborn := prog.Newborn(); newborn != 0 && pid == first { // the one that joined has left
			end(pid, pidfd)
			// By number: it is our child, and nobody has reaped it.
			pid = newborn
			if pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
				unix.Kill(pid, unix.SIGKILL)
			}
		}
		switch {
		case rerr != nil:
			err = rerr
		case err != nil:
		case !ok:
			err = &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Internal, Err: errors.New("the container's first process ended during its set-up"), Hint: "was it killed, by a limit perhaps?"}
		case r.Warn:
			t.warn(rowError(prog, r, t.spec).Error())
			continue
		case r.Listen:
			if err = t.handOver(r, pid, pidfd, ours); err == nil {
				continue
			}
		case r.Held && t.hasUsers() && !asked:
			asked = true
			if err = t.fromOutside(ctx, pid); err == nil {
				continue
			}
		case r.Held:
			if err = t.createHooks(ctx, pid, pidfd); err == nil {
				continue
			}
		case !r.Ready:
			err = rowError(prog, r, t.spec)
		}
		claim(ctx, prog, first, start, err)
		if err != nil {
			end(pid, pidfd)
			return 0, -1, err
		}
		return pid, pidfd, nil
	}
}

// clone are the namespaces that clone(2) makes. On v1 the cgroup namespace is entered after the groups have been joined; the time namespace
// after its offsets have been written; the ipc namespace by the root of the user namespace, if there is one, because it comes with a file
// system, that of message queues, whose root directory belongs to whoever makes it.
func (t *initTable) clone() uint64 {
	flags := t.namespaces.New &^ unix.CLONE_NEWTIME
	if t.hasUsers() {
		flags &^= unix.CLONE_NEWIPC
	}
	if !t.unified {
		flags &^= unix.CLONE_NEWCGROUP
	}
	return flags
}

// cloneError says what the machine's administrator may have forbidden.
func cloneError(err error, flags uint64) error {
	e := &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Internal, Err: err}
	if flags&unix.CLONE_NEWUSER != 0 && errors.Is(err, unix.EPERM) {
		e.Kind, e.Hint = stages.Denied, "may this user make user namespaces? kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns"
	}
	if errors.Is(err, unix.ENOSPC) {
		e.Kind, e.Hint = stages.Exhausted, "see /proc/sys/user/max_*_namespaces"
	}
	return e
}

// claim records the child's steps as its spans: it cannot do so itself.
func claim(ctx context.Context, p *linux.Program, pid int, start uint64, failure error) {
	for _, l := range p.Laps() {
		if l.Born {
			pid = p.Newborn()
			_, start = processStat(pid)
		}
		f := span.Finished{Step: l.Step, Instance: l.Instance, Start: l.Start, End: l.End, PID: pid, PIDStart: start, TID: pid}
		if l.Open {
			f.End = time.Now()
			if failure != nil {
				f.Error = failure.Error()
			}
		}
		span.Record(ctx, f)
	}
}

// rowError says which row failed, on what, and with which errno.
func rowError(p *linux.Program, r linux.Report, spec *specs.Spec) error {
	row := p.Rows[r.Row]
	if r.Why != 0 {
		return span.GateError(row.Step, row.Instance, r.Errno, r.Why)
	}
	if row.Step == stages.RuncInitProgram {
		return process.NotFound(row.Step, spec.Process.Args[0], r.Errno)
	}
	e := &stages.Error{Step: row.Step, Kind: stages.Internal, Thing: row.Instance, Err: fmt.Errorf("%s: %w", row.Name, r.Errno)}
	if row.Field != "" {
		e.Thing = row.Field
	}
	if row.Step == stages.None {
		e.Step = stages.RuncNsCreate
	}
	switch r.Errno {
	case unix.ELOOP, unix.EXDEV:
		e.Kind, e.Hint = stages.Invalid, "the path is, or goes through, a symbolic link"
	case unix.ENOTDIR, unix.ENOENT, unix.EINVAL, unix.ENODEV, unix.EISDIR:
		e.Kind = stages.Invalid
	case unix.EPERM, unix.EACCES:
		e.Kind = stages.Denied
	case unix.ENOMEM, unix.ENOSPC, unix.EMFILE, unix.ENFILE:
		e.Kind = stages.Exhausted
	case unix.EAGAIN: // a clone's
		e.Kind, e.Hint = stages.Exhausted, "the container has as many processes as its limit allows"
	}
	if row.Name == "sched_setattr" && r.Errno == unix.EPERM {
		e.Hint = "it takes CAP_SYS_NICE and, for a real-time policy where the cpu controller counts that time, linux.resources.cpu.realtimeRuntime"
	}
	return e
}

// end kills the process and reaps it. The pidfd is open since the clone, so it is the right one.
func end(pid, pidfd int) {
	unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	linux.Retry(func() (int, error) { return unix.Wait4(pid, nil, 0, nil) })
}
