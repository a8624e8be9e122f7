package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"hull/runc/linux"
	"hull/runc/namespace"
	"hull/runc/process"
	"hull/stages"
	"hull/trace/span"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// ExecOptions are the arguments of exec.
type ExecOptions struct {
	Root          string // where states are kept
	ID            string
	Process       *specs.Process
	PIDFile       string   // "" for none
	ConsoleSocket string   // "" for none
	PIDFDSocket   string   // "" for none
	Console       int      // the same as a descriptor of an open socket; 0 for none
	Cgroups       []string // groups below the container's to join: see cgroup.Group.Sub
	NewKeyring    bool
	PreserveFDs   int
	IgnorePaused  bool
	Warn          func(string) // told what could not be had in full
}

// Exec adds a process to the container and returns when it has executed its program: the process is a child of this one. The descriptor
// is a pidfd of it. If it fails, no process is left.
func Exec(ctx context.Context, o ExecOptions) (pid, pidfd int, err error) {
	s, err := Find(o.Root, o.ID)
	if err != nil {
		return 0, -1, err
	}
	// Shared, against pause and delete: in a group that is frozen meanwhile the joining process would stop in the middle of its set-up,
	// and we would wait for ever.
	lock, err := s.share()
	if err != nil {
		return 0, -1, err
	}
	defer lock.Close()
	if err := s.mayExec(o.IgnorePaused); err != nil {
		return 0, -1, err
	}
	if len(o.Cgroups) > 0 {
		if s.Cgroup, err = s.Cgroup.Sub(o.Cgroups); err != nil {
			return 0, -1, err
		}
	}
	t, err := s.joining(&o)
	if err != nil {
		return 0, -1, err
	}
	defer unix.Close(t.target)
	if pid, pidfd, err = t.join(ctx, s); err != nil {
		return 0, -1, err
	}
	if o.PIDFile != "" {
		if err := writePIDFile(o.PIDFile, pid); err != nil {
			end(pid, pidfd)
			return 0, -1, err
		}
	}
	if o.PIDFDSocket != "" {
		if err := process.SendPIDFD(o.PIDFDSocket, pidfd, "setns"); err != nil {
			end(pid, pidfd)
			return 0, -1, err
		}
	}
	return pid, pidfd, nil
}

// mayExec refuses in runc's words, which callers look for.
func (s *State) mayExec(ignorePaused bool) error {
	refuse := func(text string) error {
		return &stages.Error{Step: stages.RuncExec, Kind: stages.Conflict, Thing: "container " + strconv.Quote(s.ID), Err: errors.New(text)}
	}
	switch s.Status() {
	case specs.StateStopped:
		return refuse("cannot exec in a stopped container")
	case specs.StateCreating:
		return refuse("cannot exec in a container that is still being created")
	}
	if !ignorePaused && s.Paused() {
		return refuse("cannot exec in a paused container (use --ignore-paused to override)")
	}
	return nil
}

// joining checks all that can be checked before there is a process, and opens what it needs.
func (s *State) joining(o *ExecOptions) (t *initTable, err error) {
	if o.Process == nil {
		return nil, &stages.Error{Step: stages.RuncExec, Kind: stages.Invalid, Thing: "process", Err: errors.New("it is missing")}
	}
	inherited, err := s.Inherited.get()
	if err != nil {
		return nil, err
	}
	spec := inherited.spec(s.OCIVersion, o.Process)
	if err := check(stages.RuncExec, spec); err != nil {
		return nil, err
	}
	// What is looked up by name is looked up in the container's own view. The pidfd keeps the number from being given away meanwhile.
	t = &initTable{
		id: s.ID, spec: spec, rootfs: fmt.Sprintf("/proc/%d/root", s.PID), namespaces: &namespace.Wanted{}, console: -1, fifo: -1, target: -1, keepFDs: o.PreserveFDs, newKeyring: o.NewKeyring, warn: o.Warn,
	}
	if t.target, err = s.pidfd(); err != nil {
		return nil, err
	}
	if t.flags, err = namespace.Others(s.PID); err != nil {
		return nil, err
	}
	if t.flags&unix.CLONE_NEWUSER != 0 {
		if t.namespaces.Users, err = namespace.UsersOf(s.PID); err != nil {
			return nil, &stages.Error{Step: stages.RuncExecJoin, Kind: stages.Internal, Thing: "container " + strconv.Quote(s.ID), Err: err}
		}
		if err := checkUser(o.Process.User, t.namespaces.Users, stages.RuncExec); err != nil {
			return nil, err
		}
	}
	refuse := func(thing, text string) (*initTable, error) {
		return nil, &stages.Error{Step: stages.RuncExec, Kind: stages.Invalid, Thing: thing, Err: errors.New(text)}
	}
	switch {
	case spec.Process.Terminal && o.ConsoleSocket == "" && o.Console == 0:
		return refuse("process.terminal", "a terminal was asked for, and --console-socket was not given")
	case !spec.Process.Terminal && o.ConsoleSocket != "":
		return refuse("--console-socket", "it was given, and process.terminal is false")
	case len(t.candidates()) == 0:
		return nil, process.NotFound(stages.RuncInitProgram, spec.Process.Args[0], unix.ENOENT)
	}
	if err := t.read(); err != nil {
		return nil, err
	}
	if err := checkKept(t.keepFDs, stages.RuncExec); err != nil {
		return nil, err
	}
	if s.Filtered {
		if t.filter, t.filterFlags, err = s.loadFilter(); err != nil {
			return nil, &stages.Error{Step: stages.RuncExec, Kind: stages.Internal, Thing: "the container's system call filter", Err: err}
		}
	}
	if t.agent = s.Agent; t.agent != nil {
		_, pid := s.Now()
		t.told = specs.State{Version: s.OCIVersion, ID: s.ID, Status: specs.StateRunning, Pid: pid, Bundle: s.Bundle, Annotations: s.Annotations}
		if t.agentFD, err = t.agent.connect(); err != nil {
			return nil, err
		}
	}
	if err := t.openProcs(s.Cgroup); err != nil {
		return nil, err
	}
	if o.Console != 0 {
		t.console = o.Console
	} else if o.ConsoleSocket != "" {
		if t.console, err = process.ConsoleSocket(o.ConsoleSocket); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// join spawns the process and waits until it has executed its program.
func (t *initTable) join(ctx context.Context, s *State) (pid, pidfd int, err error) {
	ours, theirs, err := t.channel()
	if err != nil {
		return 0, -1, err
	}
	defer unix.Close(ours)
	if t.namespaces.Users.UIDs != nil && !t.spec.Process.Terminal {
		uid, _ := t.namespaces.Users.UIDs.Host(t.spec.Process.User.UID)
		if err := process.GiveStdio(uid); err != nil {
			unix.Close(theirs)
			return 0, -1, err
		}
	}
	prog, err := t.joinProgram(theirs)
	if err == nil && span.Current(ctx).Valid() {
		err = prog.Clock()
	}
	var joiner, joinerFD int
	if err == nil {
		runtime.LockOSThread() // the CPUs are the thread's
		err = t.attributes.Initially(func() (err error) {
			joiner, joinerFD, err = spawnInto(prog, s)
			return err
		})
		runtime.UnlockOSThread()
	}
	unix.Close(theirs)
	if err != nil {
		return 0, -1, err
	}
	defer unix.Close(joinerFD)
	_, start := processStat(joiner)
	err = t.executed(prog, ours)
	if pid = prog.Newborn(); pid != 0 {
		// By number: it is our child, and nobody has reaped it. pidfd_open works on a zombie too (pidfd_open(2), Linux 5.3).
		if fd, openErr := unix.PidfdOpen(pid, 0); openErr == nil {
			pidfd = fd
		} else if err == nil {
			err = fmt.Errorf("pidfd_open: %w", openErr)
		}
	}
	claim(ctx, prog, joiner, start, err)
	end(joiner, joinerFD)
	if err != nil {
		if pid != 0 {
			end(pid, pidfd)
		}
		return 0, -1, err
	}
	return pid, pidfd, nil
}

// spawnInto makes the process that joins, in the container's cgroup v2 where there is one. See [cgroup.Group.IntoOf] for the second try.
func spawnInto(prog *linux.Program, s *State) (pid, pidfd int, err error) {
	for try, into := range []func() (*os.File, error){s.Cgroup.Into, func() (*os.File, error) { return s.Cgroup.IntoOf(s.PID) }} {
		dir, openErr := into()
		if openErr != nil {
			return 0, -1, openErr
		}
		if try > 0 && dir == nil { // the container's first process is not below the group that is asked for
			break
		}
		fd := -1
		if dir != nil {
			fd = int(dir.Fd())
		}
		pid, pidfd, err = prog.Spawn(0, fd)
		if dir != nil {
			dir.Close()
		}
		if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.EOPNOTSUPP) {
			break
		}
	}
	if err != nil {
		err = &stages.Error{Step: stages.RuncExec, Kind: stages.Internal, Thing: "container " + strconv.Quote(s.ID), Err: err}
	}
	return pid, pidfd, err
}

// executed reads the reports up to the end of file, which is execve(2) closing the pipe. One that says that the program was about to be
// executed must have come before: an end without it is a death in the middle.
func (t *initTable) executed(prog *linux.Program, channel int) error {
	started := false
	for {
		r, ok, err := linux.ReadReport(channel)
		switch {
		case err != nil:
			return err
		case !ok && started:
			return nil
		case !ok:
			return &stages.Error{Step: stages.RuncExec, Kind: stages.Internal, Thing: "container " + strconv.Quote(t.id), Err: errors.New("the joining process ended during its set-up"), Hint: "has the container ended, or a limit struck?"}
		case r.Warn:
			t.warn(rowError(prog, r, t.spec).Error())
		case r.Start:
			started = true
		case r.Listen:
			if err := t.listened(prog, r, channel); err != nil {
				return err
			}
		default:
			return rowError(prog, r, t.spec)
		}
	}
}

// listened hands over the listener of the process that was born.
func (t *initTable) listened(prog *linux.Program, r linux.Report, channel int) error {
	pid := prog.Newborn()
	pidfd, err := unix.PidfdOpen(pid, 0) // our child, which nobody has reaped
	if err != nil {
		return fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(pidfd)
	return t.handOver(r, pid, pidfd, channel)
}
