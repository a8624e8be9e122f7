package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"hull/runc/cgroup"
	"hull/runc/confine"
	"hull/runc/hook"
	"hull/runc/linux"
	"hull/runc/namespace"
	"hull/runc/process"
	"hull/runc/seccomp"
	"hull/stages"
	"hull/trace/span"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// CreateOptions are the arguments of create.
type CreateOptions struct {
	Root          string // where states are kept
	ID            string
	Bundle        string
	PIDFile       string // "" for none
	ConsoleSocket string // "" for none
	NewKeyring    bool
	PreserveFDs   int
	Warn          func(string) // told what could not be had in full
}

// Create makes the container up to the point where its first process waits for [Start]. If it fails, nothing is left: no directory, no
// cgroup, no process.
func Create(ctx context.Context, o CreateOptions) (err error) {
	if err := checkID(o.ID); err != nil {
		return err
	}
	t, err := prepare(&o)
	if err != nil {
		return err
	}
	s := &State{
		OCIVersion: t.spec.Version, ID: o.ID, Bundle: t.bundle, Rootfs: t.rootfs, Program: t.spec.Process.Args[0], Created: time.Now().UTC(),
		Annotations: t.spec.Annotations, Personality: t.spec.Linux.Personality, Filtered: len(t.filter) > 0, OwnPIDs: t.namespaces.New&unix.CLONE_NEWPID != 0, dir: filepath.Join(o.Root, o.ID),
	}
	s.keepHooks(t.spec)
	path := t.spec.Linux.CgroupsPath
	if path == "" {
		path = "/" + o.ID
	}
	if err := s.makeDir(t.spec.Process.User.UID, path); err != nil {
		return err
	}
	undo := []func(){func() { os.RemoveAll(s.dir) }}
	if err := s.saveFilter(t.filter, t.filterFlags); err != nil {
		os.RemoveAll(s.dir)
		return err
	}
	defer func() {
		if err != nil {
			for i := len(undo) - 1; i >= 0; i-- {
				undo[i]()
			}
			if t.hooked {
				s.call(ctx, hook.Poststop, 0, hook.Here, o.Warn)
			}
		}
	}()

	group, warnings, err := cgroup.Create(ctx, path, t.spec.Linux.Resources)
	if err != nil {
		return err
	}
	undo = append(undo, func() { group.Delete() })
	for _, w := range warnings {
		o.Warn(w)
	}
	s.Cgroup = group
	// Before there is a process: if we are killed between here and the end, delete --force finds all that there may be.
	if err := s.save(); err != nil {
		return err
	}
	if err := t.open(s, o.ConsoleSocket, group); err != nil {
		return err
	}
	pid, pidfd, err := t.spawn(ctx)
	if err != nil {
		return err
	}
	undo = append(undo, func() { end(pid, pidfd) })
	if err := s.saved(ctx, pid); err != nil {
		return err
	}
	if o.PIDFile != "" {
		return writePIDFile(o.PIDFile, pid)
	}
	return nil
}

// prepare reads the bundle and checks all that can be checked before anything is made.
func prepare(o *CreateOptions) (*initTable, error) {
	bundle, err := filepath.Abs(o.Bundle)
	if err != nil {
		return nil, err
	}
	spec, err := Load(bundle)
	if err != nil {
		return nil, err
	}
	t := &initTable{id: o.ID, bundle: bundle, spec: spec, console: -1, fifo: -1, keepFDs: o.PreserveFDs, newKeyring: o.NewKeyring, warn: o.Warn}
	t.rootfs = spec.Root.Path
	if !filepath.IsAbs(t.rootfs) {
		t.rootfs = filepath.Join(bundle, t.rootfs)
	}
	refuse := func(kind stages.Kind, thing string, err error) (*initTable, error) {
		return nil, &stages.Error{Step: stages.RuncCreate, Kind: kind, Thing: thing, Err: err}
	}
	if st, err := os.Stat(t.rootfs); err != nil {
		return refuse(stages.NotFound, "root.path "+t.rootfs, errors.Unwrap(err))
	} else if !st.IsDir() {
		return refuse(stages.Invalid, "root.path "+t.rootfs, unix.ENOTDIR)
	}
	if t.namespaces, err = namespace.Parse(spec.Linux.Namespaces); err != nil {
		return nil, err
	}
	switch {
	case spec.Process.Terminal && o.ConsoleSocket == "":
		return refuse(stages.Invalid, "process.terminal", errors.New("a terminal was asked for, and --console-socket was not given"))
	case !spec.Process.Terminal && o.ConsoleSocket != "":
		return refuse(stages.Invalid, "--console-socket", errors.New("it was given, and process.terminal is false"))
	case len(t.candidates()) == 0:
		return nil, process.NotFound(stages.RuncInitProgram, spec.Process.Args[0], unix.ENOENT)
	}
	var warnings []string
	if t.capabilities, warnings, err = confine.ParseCapabilities(spec.Process.Capabilities); err != nil {
		return nil, err
	}
	for _, w := range warnings {
		o.Warn(w)
	}
	if spec.Linux.Seccomp != nil {
		f, err := seccomp.Compile(spec.Linux.Seccomp)
		if err != nil {
			return nil, err
		}
		t.filter, t.filterFlags = f.Insns, f.Flags
	}
	if err := checkKept(t.keepFDs, stages.RuncCreate); err != nil {
		return nil, err
	}
	return t, nil
}

// makeDir makes the container's directory, whose name is taken from then on, and the FIFO in it. The FIFO is opened by the first
// process after it has become the user: it is that user's, in a directory of ours.
func (s *State) makeDir(uid uint32, cgroups string) error {
	root := filepath.Dir(s.dir)
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(s.dir, 0o700); errors.Is(err, os.ErrExist) {
		return &stages.Error{Step: stages.RuncCreate, Kind: stages.Conflict, Thing: "container " + strconv.Quote(s.ID), Err: errors.New("container with given ID already exists")}
	} else if err != nil {
		return err
	}
	fifo := filepath.Join(s.dir, fifoFile)
	err := unix.Mkfifo(fifo, 0o600)
	if err == nil && uid != 0 {
		err = unix.Chown(fifo, int(uid), -1)
	}
	if err == nil {
		err = unix.Symlink(cgroups, filepath.Join(s.dir, groupLink))
	}
	if err != nil {
		os.RemoveAll(s.dir)
		return fmt.Errorf("prepare %s: %w", s.dir, err)
	}
	return nil
}

// open opens what the child inherits.
func (t *initTable) open(s *State, consoleSocket string, group *cgroup.Group) (err error) {
	if t.fifo, err = unix.Open(filepath.Join(s.dir, fifoFile), unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open %s: %w", fifoFile, err)
	}
	if consoleSocket != "" {
		if t.console, err = process.ConsoleSocket(consoleSocket); err != nil {
			return err
		}
	}
	if err := t.openProcs(group); err != nil {
		return err
	}
	if t.cgroupInto, err = group.Into(); err != nil {
		return err
	}
	t.hierarchies, t.unified = hierarchies(group.Members)
	t.state = s
	return t.namespaces.Open()
}

// openProcs opens what the child writes itself into to join its v1 cgroups.
func (t *initTable) openProcs(group *cgroup.Group) (err error) {
	if t.cgroupProcs, err = group.Procs(); err != nil {
		return err
	}
	for _, m := range group.Members {
		if m.Version == 1 {
			t.cgroupNames = append(t.cgroupNames, m.Controller)
		}
	}
	return nil
}

// checkKept refuses descriptors that are to be kept and are not open.
func checkKept(n int, step stages.ID) error {
	for fd := 3; fd < 3+n; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			return &stages.Error{Step: step, Kind: stages.Invalid, Thing: "--preserve-fds", Err: fmt.Errorf("descriptor %d: %w", fd, err)}
		}
	}
	return nil
}

// spawn clones the first process, lets it run its program, and waits for its report. A child that failed has been reaped.
func (t *initTable) spawn(ctx context.Context) (pid, pidfd int, err error) {
	ctx, sp := span.Start(ctx, stages.RuncNsCreate)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return pid, pidfd, err
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, -1, fmt.Errorf("pipe2: %w", err)
	}
	defer unix.Close(pipe[0])
	gate := span.OpenGate(ctx)
	if gate != nil {
		defer unix.Close(gate.FD)
		t.gate = linux.Cell(gate.FD)
	}
	if t.hasCreateHooks() {
		if err := unix.Pipe2(t.hold[:], unix.O_CLOEXEC); err != nil {
			unix.Close(pipe[1])
			return 0, -1, fmt.Errorf("pipe2: %w", err)
		}
		defer unix.Close(t.hold[0])
		defer unix.Close(t.hold[1])
	}
	prog, err := t.program(pipe[1])
	if err == nil && gate != nil {
		prog.Gates(t.gate, gate.Question)
	}
	if err == nil && sp != nil {
		err = prog.Clock()
	}
	if err != nil {
		unix.Close(pipe[1])
		return 0, -1, err
	}
	flags := t.namespaces.New
	if !t.unified {
		flags &^= unix.CLONE_NEWCGROUP // on v1 the child enters it after it has joined its groups
	}
	runtime.LockOSThread() // never unlocked: the thread's children are born in the joined pid namespace
	if err := t.namespaces.EnterPID(); err != nil {
		unix.Close(pipe[1])
		return 0, -1, err
	}
	into := -1
	if t.cgroupInto != nil {
		into = int(t.cgroupInto.Fd())
	}
	pid, pidfd, err = prog.Spawn(flags, into)
	unix.Close(pipe[1])
	if err != nil {
		return 0, -1, &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Internal, Err: err}
	}
	sp.SetInt("child.pid", int64(pid))
	_, start := processStat(pid)
	for {
		r, ok, rerr := linux.ReadReport(pipe[0])
		switch {
		case rerr != nil:
			err = rerr
		case !ok:
			err = &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Internal, Err: errors.New("the container's first process ended during its set-up"), Hint: "was it killed, by a limit perhaps?"}
		case r.Warn:
			t.warn(rowError(prog, r, t.spec).Error())
			continue
		case r.Held:
			if err = t.createHooks(ctx, pid, pidfd); err == nil {
				continue
			}
		case !r.Ready:
			err = rowError(prog, r, t.spec)
		}
		claim(ctx, prog, pid, start, err)
		if err != nil {
			end(pid, pidfd)
			return 0, -1, err
		}
		return pid, pidfd, nil
	}
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
	return e
}

// end kills the process and reaps it. The pidfd is open since the clone, so it is the right one.
func end(pid, pidfd int) {
	unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	linux.Retry(func() (int, error) { return unix.Wait4(pid, nil, 0, nil) })
}

// saved makes the pid part of the state: from here on the other verbs know the container.
func (s *State) saved(ctx context.Context, pid int) (err error) {
	_, sp := span.Start(ctx, stages.RuncStateSave)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	s.PID = pid
	_, s.PIDStart = processStat(pid)
	return s.save()
}

// writePIDFile writes the pid under a name nobody looks at, then renames: who waits for the file never reads half of it.
func writePIDFile(path string, pid int) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	if err := os.WriteFile(tmp, []byte(strconv.Itoa(pid)), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// Plan is the program that create would run for the bundle, with nothing made.
func Plan(bundle string) (*linux.Program, error) {
	o := CreateOptions{ID: "plan", Bundle: bundle, NewKeyring: true, ConsoleSocket: "", Warn: func(string) {}}
	spec, err := Load(bundle)
	if err != nil {
		return nil, err
	}
	if spec.Process.Terminal {
		o.ConsoleSocket = "console"
	}
	t, err := prepare(&o)
	if err != nil {
		return nil, err
	}
	return t.program(-1)
}
