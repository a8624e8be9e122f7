package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"hull/runc/cgroup"
	"hull/runc/hook"
	"hull/runc/linux"
	"hull/runc/namespace"
	"hull/runc/process"
	"hull/runc/rootfs"
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
	PIDFile       string              // "" for none
	ConsoleSocket string              // "" for none
	PIDFDSocket   string              // "" for none
	Console       func() (int, error) // without a socket: makes one, if the process is to have a terminal; may be nil
	NewKeyring    bool
	PreserveFDs   int
	Rootless      bool         // cgroups that this user may not make are left out, unless a limit needs them
	Warn          func(string) // told what could not be had in full
}

// A Created is a container in the hands of the process that has made it: the first process is its child. Only `run` keeps it; what other
// verbs know of a container is its [State].
type Created struct {
	ID    string
	PID   int
	PIDFD int // a pidfd of it, open since the clone
	state *State
	warn  func(string)
	dir   *os.File // of its states: while it is open, no other container's has its inode number
}

// Create makes the container up to the point where its first process waits for [Start]. If it fails, nothing is left: no directory, no
// cgroup, no process.
func Create(ctx context.Context, o CreateOptions) (c *Created, err error) {
	if err := checkID(o.ID); err != nil {
		return nil, err
	}
	t, err := prepare(&o)
	if err != nil {
		return nil, err
	}
	s := &State{
		OCIVersion: t.spec.Version, ID: o.ID, Bundle: t.bundle, Rootfs: t.rootfs, Program: t.spec.Process.Args[0], Created: time.Now().UTC(),
		Annotations: t.spec.Annotations, Agent: t.agent, Filtered: len(t.filter) > 0, OwnPIDs: t.namespaces.New&unix.CLONE_NEWPID != 0, dir: filepath.Join(o.Root, o.ID),
	}
	if err := s.keepHooks(t.spec); err != nil {
		return nil, err
	}
	if i := inheritedOf(t.spec); i != (Inherited{}) {
		if s.Inherited, err = keep(i); err != nil {
			return nil, err
		}
	}
	path, makeGroup := t.spec.Linux.CgroupsPath, cgroup.Create
	if path == "" {
		path = "/" + o.ID
		if o.Rootless && (t.hasUsers() || namespace.Nested()) {
			path, makeGroup = o.ID, cgroup.CreateWhereAllowed // beside our own, where an ordinary user's may be
		}
	}
	uid, _ := t.namespaces.Users.UIDs.Host(t.spec.Process.User.UID)
	if err := s.makeDir(uid, path); err != nil {
		return nil, err
	}
	undo := []func(){func() { os.RemoveAll(s.dir) }}
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
	dir, err := os.Open(s.dir)
	if err != nil {
		return nil, err
	}
	if err := s.saveFilter(t.filter, t.filterFlags); err != nil {
		return nil, err
	}
	t.keepFilter()
	group, warnings, err := makeGroup(ctx, path, t.spec.Linux.Resources)
	if err != nil {
		return nil, err
	}
	undo = append(undo, func() { group.Delete() })
	for _, w := range warnings {
		o.Warn(w)
	}
	s.Cgroup = group
	if t.ownsCgroup() {
		if err := group.Delegate(int(uid)); err != nil {
			return nil, err
		}
	}
	// Before there is a process: if we are killed between here and the end, delete --force finds all that there may be.
	if err := s.save(); err != nil {
		return nil, err
	}
	if err := t.open(s, &o, group); err != nil {
		return nil, err
	}
	pid, pidfd, err := t.spawn(ctx)
	if err != nil {
		return nil, err
	}
	undo = append(undo, func() { end(pid, pidfd) })
	if err := s.saved(ctx, pid); err != nil {
		return nil, err
	}
	if o.PIDFile != "" {
		if err := writePIDFile(o.PIDFile, pid); err != nil {
			return nil, err
		}
	}
	if o.PIDFDSocket != "" {
		if err := process.SendPIDFD(o.PIDFDSocket, pidfd, "standard"); err != nil {
			return nil, err
		}
	}
	return &Created{s.ID, pid, pidfd, s, o.Warn, dir}, nil
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
	t := &initTable{keepFilter: func() {}, id: o.ID, bundle: bundle, spec: spec, console: -1, fifo: -1, hold: [2]int{-1, -1}, keepFDs: o.PreserveFDs, newKeyring: o.NewKeyring, warn: o.Warn}
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
	if t.namespaces, err = namespace.Parse(spec.Linux); err != nil {
		return nil, err
	}
	if err := t.namespaces.Open(); err != nil {
		return nil, err
	}
	if spec.Hostname+spec.Domainname != "" && !t.namespaces.Own[specs.UTSNamespace] {
		return nil, &stages.Error{Step: stages.RuncInitHostname, Kind: stages.Denied, Thing: "hostname", Err: errors.New("the uts namespace is the host's: this would change the host")}
	}
	if err := checkIDs(spec, t.namespaces.Users); err != nil {
		return nil, err
	}
	if t.files, err = rootfs.Parse(spec, bundle, t.rootfs); err != nil {
		return nil, err
	}
	for _, w := range t.files.Warnings {
		o.Warn(w)
	}
	switch {
	case spec.Process.Terminal && o.ConsoleSocket == "" && o.Console == nil:
		return refuse(stages.Invalid, "process.terminal", errors.New("a terminal was asked for, and --console-socket was not given"))
	case !spec.Process.Terminal && o.ConsoleSocket != "":
		return refuse(stages.Invalid, "--console-socket", errors.New("it was given, and process.terminal is false"))
	case len(t.candidates()) == 0:
		return nil, process.NotFound(stages.RuncInitProgram, spec.Process.Args[0], unix.ENOENT)
	}
	if err := t.read(); err != nil {
		return nil, err
	}
	if spec.Linux.Seccomp != nil {
		f, keep, err := filters(o.Root).Filter(spec.Linux.Seccomp)
		if err != nil {
			return nil, err
		}
		t.keepFilter = keep
		t.filter, t.filterFlags = f.Insns, f.Flags
		if t.agent, err = agentOf(spec.Linux.Seccomp, f.Flags); err != nil {
			return nil, err
		}
	}
	if err := checkKept(t.keepFDs, stages.RuncCreate); err != nil {
		return nil, err
	}
	return t, nil
}

// makeDir makes the container's directory, whose name is taken from then on, and the FIFO in it. The FIFO is opened by the first
// process after it has become the user: it is that user's, in a directory of ours. What an ordinary user cannot give away is open to all
// for writing instead; the directory is not.
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
	if err == nil && int(uid) != os.Geteuid() {
		if err = unix.Chown(fifo, int(uid), -1); err == unix.EPERM {
			err = unix.Chmod(fifo, 0o622)
		}
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
func (t *initTable) open(s *State, o *CreateOptions, group *cgroup.Group) (err error) {
	if t.fifo, err = unix.Open(filepath.Join(s.dir, fifoFile), unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open %s: %w", fifoFile, err)
	}
	switch {
	case o.ConsoleSocket != "":
		t.console, err = process.ConsoleSocket(o.ConsoleSocket)
	case t.spec.Process.Terminal:
		t.console, err = o.Console()
	}
	if err != nil {
		return err
	}
	if t.agent != nil {
		t.told = specs.State{Version: s.OCIVersion, ID: s.ID, Status: specs.StateCreating, Bundle: s.Bundle, Annotations: s.Annotations}
		if t.agentFD, err = t.agent.connect(); err != nil {
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
	if err := t.files.Make(); err != nil {
		return err
	}
	t.state = s
	return nil
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
