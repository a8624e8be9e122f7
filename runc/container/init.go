package container

import (
	"os"
	"path"
	"strconv"

	"hull/runc/confine"
	"hull/runc/hook"
	"hull/runc/linux"
	"hull/runc/namespace"
	"hull/runc/process"
	"hull/runc/rootfs"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// An initTable is what is known before the clone, and the program that is made of it.
type initTable struct {
	id           string
	bundle       string
	spec         *specs.Spec
	rootfs       string
	namespaces   *namespace.Wanted
	files        *rootfs.Wanted
	hierarchies  []rootfs.Hierarchy
	unified      bool       // cgroup v2 alone
	cgroupProcs  []*os.File // v1: the child writes itself into these
	cgroupNames  []string   // their controllers
	cgroupInto   *os.File   // v2: the child is born in it; nil without v2
	fifo         int        // exec.fifo, O_PATH
	gate         *int32     // the connection to the gates of a run under the debugger; nil for all others
	console      int        // the socket for the terminal's master, or -1
	keepFDs      int        // descriptors after 2 that the program is to have
	newKeyring   bool
	filter       []unix.SockFilter
	filterFlags  uint
	keepFilter   func() // for the next container
	agent        *Agent // whom the filter asks; nil for nobody
	agentFD      int
	told         specs.State // what the agent is told of the container
	capabilities confine.Sets
	rlimitList   []confine.Rlimit
	attributes   process.Attributes
	labels       confine.Labels
	warn         func(string)

	state  *State
	asking [2]int // the pipe on which the first process waits for what we do for it in a user namespace
	hold   [2]int // the pipe on which the first process waits for the hooks of create
	hooked bool   // they have begun

	hook    *specs.Hook // a hook that joins: what is executed instead of the process's program
	streams hook.Streams

	flags   uint64 // exec: the namespaces of target that are not ours
	target  int    // exec: a pidfd of the container's first process
	p       *linux.Program
	root    *int32
	proc    *int32
	ownProc *int32
	masks   *rootfs.Masks
}

// here is the cell of "the current directory", which is the new root after the pivot.
func here() *int32 { return linux.Cell(unix.AT_FDCWD) }

// program writes the whole program. The list is the order of set-up; each place in it has a reason, which its function states.
func (t *initTable) program(report int) (*linux.Program, error) {
	t.p = linux.New(report)
	nnp := t.spec.Process.NoNewPrivileges
	for _, part := range []func() error{
		t.shield,
		t.joinNamespaces,
		when(t.hasUsers(), t.askOutside),
		t.joinCgroups,
		t.session,
		t.oomScore,
		t.label,
		t.time,
		t.tree,
		when(t.hasUsers(), t.becomeRoot),
		t.keyring,
		t.mounts,
		t.devices,
		t.console_,
		when(t.hasCreateHooks(), t.waitForHooks),
		when(t.shieldsLater(), t.closeToOthers),
		t.pivot,
		t.maskPaths,
		t.names,
		t.loopback,
		t.sysctls,
		t.makeWorkDir,
		t.closeFDs,
		t.rlimits,
		t.user,
		t.workDir,
		t.lookUp,
		t.scheduling,
		when(!nnp, t.seccomp), // while CAP_SYS_ADMIN is there
		t.capabilities_,
		when(nnp, t.noNewPrivs),
		t.signals,
		when(nnp && t.agent != nil, t.seccomp), // its listener is handed over while create is there to do it
		t.waitStart,
		when(nnp && t.agent == nil, t.seccomp), // last: not even the wait runs under the user's filter
		t.exec,
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return t.p, nil
}

func when(yes bool, part func() error) func() error {
	if yes {
		return part
	}
	return func() error { return nil }
}

// shield: from here on no process of another container may trace this one or read its descriptors (ptrace(2), PR_SET_DUMPABLE), not
// even one that shares the pid namespace. execve(2) lifts it. The umask is the set-up's own: modes are made as they are written.
func (t *initTable) shield() error {
	if !t.shieldsLater() {
		t.closeToOthers()
	}
	t.p.At(stages.None, "shield")
	t.p.Do(linux.Prctl(unix.PR_SET_NAME, linux.Str("hull-runc:init")), linux.Umask(0))
	return nil
}

func (t *initTable) closeToOthers() error {
	t.p.At(stages.None, "shield")
	t.p.Do(linux.Prctl(unix.PR_SET_DUMPABLE, linux.Num(0)))
	return nil
}

// joinNamespaces: with a user namespace among them, all that follows is done by a second process.
func (t *initTable) joinNamespaces() error { return t.namespaces.Join(t.p, t.clone()) }

// joinCgroups: before anything is allocated that the limits should count, and before the cgroup namespace, whose root is where the
// process stands. "0" is the writer itself (cgroups(7)).
func (t *initTable) joinCgroups() error {
	for i, f := range t.cgroupProcs {
		t.p.At(stages.RuncCgroupJoin, t.cgroupNames[i])
		t.p.Do(linux.Write(linux.Num(int(f.Fd())), "0"))
	}
	if t.namespaces.New&unix.CLONE_NEWCGROUP != 0 && !t.unified {
		namespace.Cgroup(t.p)
	}
	return nil
}

// session: without a terminal, so that signals of the caller's do not arrive.
func (t *initTable) session() error {
	t.p.At(stages.RuncInitSession, "")
	t.p.Do(linux.Setsid())
	return nil
}

// keyring: one that is not the caller's, the same for all processes of the container.
func (t *initTable) keyring() error {
	t.p.At(stages.None, "keyring")
	if t.newKeyring {
		t.p.Do(linux.JoinSessionKeyring("_ses."+t.id).Or(unix.ENOSYS, unix.EPERM))
	}
	return nil
}

// oomScore: through the host's /proc, which is still there and is no image's. Below the present value it needs CAP_SYS_RESOURCE.
func (t *initTable) oomScore() error {
	adj := t.spec.Process.OOMScoreAdj
	if adj == nil || t.hasUsers() {
		return nil // in a user namespace we have done it: see fromOutside
	}
	t.p.At(stages.None, "process.oomScoreAdj")
	fd := linux.Cell(-1)
	write := linux.Write(linux.FD(fd), strconv.Itoa(*adj)).Or(unix.EACCES)
	write.Warn = true
	t.p.Do(linux.Openat(linux.Cwd(), "/proc/self/oom_score_adj", unix.O_WRONLY, fd), write)
	return nil
}

// label: on a procfs of our own, and before the first mount of the container's. It takes effect at execve(2), so its place among the rows
// is free.
func (t *initTable) label() error {
	if t.labels.None() {
		return nil
	}
	proc := rootfs.PrivateProc(t.p, nil)
	t.labels.Apply(t.p, proc)
	t.p.Do(linux.Close(linux.FD(proc)))
	return nil
}

// time: while the process is the user to whom its own files in /proc belong.
func (t *initTable) time() error { return t.namespaces.Time(t.p) }

// tree: what is taken from the host's tree. What is to stay tied to its mounts is copied before the ties are cut; in a user namespace all of
// it before the process becomes the root of that, who may have no right to go there.
func (t *initTable) tree() error {
	t.files.Tie(t.p)
	t.files.Cut(t.p)
	t.root = t.files.Root(t.p)
	if t.hasUsers() {
		t.files.Take(t.p)
	}
	return nil
}

// mounts: in the specification's order, which puts /dev before /dev/pts.
func (t *initTable) mounts() error {
	t.proc = t.files.Mount(t.p, t.root, rootfs.Groups{V1: t.hierarchies, Unified: t.unified})
	// A procfs of our own, now: a user namespace may make one only while it sees a whole one (EPERM after the masks). The wait needs one,
	// attached or not; and for the sysctls, parts of the container's will be covered or read-only.
	if t.proc == nil || len(t.spec.Linux.Sysctl) > 0 {
		t.ownProc = t.anyProc()
	}
	if t.proc == nil {
		t.proc = t.ownProc
	}
	t.masks = rootfs.PrepareMasks(t.p, t.root, t.spec.Linux.MaskedPaths)
	return nil
}

func (t *initTable) devices() error {
	if !rootfs.OwnDev(t.spec.Mounts) {
		return nil
	}
	return rootfs.Devices(t.p, t.root, t.spec.Linux.Devices, t.hasUsers())
}

// console_: after devpts is mounted, before the pivot only because it belongs to /dev.
func (t *initTable) console_() error {
	proc := t.spec.Process
	if !proc.Terminal {
		return nil
	}
	place := func(path string) *int32 { return rootfs.File(t.p, t.root, path) }
	process.Console(t.p, t.root, t.console, proc.ConsoleSize, proc.User.UID, place)
	process.Controlling(t.p)
	return nil
}

func (t *initTable) pivot() error {
	rootfs.Pivot(t.p, t.root)
	return nil
}

// maskPaths: after the mounts, which they cover in part. The root becomes read-only when nothing is made in it any more, and shared or
// unbindable last.
func (t *initTable) maskPaths() error {
	t.files.ReadonlyPaths(t.p, t.root, t.spec.Linux.ReadonlyPaths)
	t.files.Apply(t.p, t.root, t.masks)
	if t.spec.Root.Readonly {
		t.ensureWorkDir(t.root)
		rootfs.Readonly(t.p, t.root)
	}
	t.files.Propagate(t.p, t.root)
	return nil
}

func (t *initTable) names() error {
	t.p.At(stages.RuncInitHostname, "")
	if t.spec.Hostname != "" {
		t.p.Do(linux.Sethostname(t.spec.Hostname))
	}
	if t.spec.Domainname != "" {
		t.p.Do(linux.Setdomainname(t.spec.Domainname))
	}
	return nil
}

// loopback: only in a network namespace that we made; another's is not ours to change.
func (t *initTable) loopback() error {
	if t.namespaces.New&unix.CLONE_NEWNET == 0 {
		return nil
	}
	t.p.At(stages.RuncInitLoopback, "lo")
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP)
	fd := linux.Cell(-1)
	t.p.Do(
		linux.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0, fd),
		linux.Ioctl(linux.FD(fd), unix.SIOCSIFFLAGS, linux.Mem(req), nil),
		linux.Close(linux.FD(fd)),
	)
	return nil
}

func (t *initTable) sysctls() error {
	if len(t.spec.Linux.Sysctl) == 0 {
		return nil
	}
	return rootfs.Sysctls(t.p, t.ownProc, t.namespaces.Own, t.spec.Linux.Sysctl)
}

// closeFDs: all that the set-up opened, and all that the caller leaked. What the wait needs moves out of the way first, above any
// number that can be in use. Before the resource limits, which may forbid such numbers.
func (t *initTable) closeFDs() error {
	fifo := linux.Cell(t.fifo)
	t.fifo = t.closeAllBut(t.p.Report, fifo, t.proc) + 1
	return nil
}

// closeAllBut moves the descriptors in the cells to numbers one after the other, of which it returns the first, and closes all others
// that the program is not to have.
func (t *initTable) closeAllBut(cells ...*int32) (high int) {
	t.p.At(stages.None, "descriptors")
	first := 3 + t.keepFDs
	high = first + 64
	for _, r := range t.p.Rows {
		if r.Out != nil {
			high++
		}
	}
	if t.gate != nil {
		cells = append(cells, t.gate)
	}
	for i, c := range cells {
		move := linux.Dup3(linux.FD(c), high+i, unix.O_CLOEXEC)
		move.Out = c
		t.p.Do(move)
	}
	t.p.Do(linux.CloseRange(first, high-1), linux.CloseRange(high+len(cells), -1))
	return high
}

func (t *initTable) rlimits() error {
	confine.Rlimits(t.p, t.rlimitList)
	return nil
}

// scheduling: after the cgroups, which have a say in it; while all capabilities are there; and after the bulk of the set-up, which on an idle
// or a throttled policy could take as long as the machine is busy.
func (t *initTable) scheduling() error {
	t.attributes.Apply(t.p)
	return nil
}

// makeWorkDir: while this is still root, whose directory it becomes, as all others of the image are.
func (t *initTable) makeWorkDir() error {
	if !t.spec.Root.Readonly {
		t.ensureWorkDir(here())
	}
	return nil
}

func (t *initTable) ensureWorkDir(root *int32) {
	if cwd := t.spec.Process.Cwd; path.Clean(cwd) != "/" {
		t.p.At(stages.RuncInitWorkdir, cwd)
		rootfs.EnsureDir(t.p, root, cwd)
	}
}

func (t *initTable) user() error {
	u := t.spec.Process.User
	if !t.spec.Process.Terminal && t.namespaces.Users.UIDs == nil { // with a user namespace it is done already
		process.OwnStdio(t.p, u.UID)
	}
	process.User(t.p, u, t.namespaces.Users.NoGroups)
	return nil
}

// workDir: as the user, to whom it may be closed, and after the descriptors are closed: none of them can be it.
func (t *initTable) workDir() error {
	process.WorkDir(t.p, t.spec.Process.Cwd, func(path string) *int32 { return rootfs.Dir(t.p, here(), path) })
	return nil
}

func (t *initTable) candidates() []string {
	return process.Candidates(t.spec.Process.Args[0], t.spec.Process.Env)
}

func (t *initTable) lookUp() error {
	process.LookUp(t.p, t.spec.Process.Args[0], t.candidates())
	return nil
}

func (t *initTable) seccomp() error {
	if len(t.filter) > 0 {
		confine.Seccomp(t.p, t.filterFlags, t.filter)
	}
	return nil
}

func (t *initTable) capabilities_() error {
	confine.Capabilities(t.p, t.capabilities)
	return nil
}

func (t *initTable) noNewPrivs() error {
	confine.NoNewPrivs(t.p)
	return nil
}

func (t *initTable) signals() error {
	process.Signals(t.p)
	return nil
}

// waitStart: the report that all is made comes first, so that create can return. Opening the FIFO for writing then blocks until start
// opens it for reading (fifo(7)). From there on, failures are reported to start, on the same FIFO.
func (t *initTable) waitStart() error {
	t.p.At(stages.RuncInitWaitStart, "")
	open := linux.Openat(linux.FD(t.proc), "self/fd/"+strconv.Itoa(t.fifo), unix.O_WRONLY, t.p.Report)
	t.p.Do(t.p.Ready(), linux.Close(linux.FD(t.p.Report)), open, t.p.Started())
	return nil
}

// exec: the same process, another program. All descriptors but those that the program is to have are close-on-exec.
func (t *initTable) exec() error {
	env := process.WithHome(t.spec.Process.Env, t.rootfs, t.spec.Process.User.UID)
	candidates := t.candidates()
	if len(candidates) > 0 {
		process.Exec(t.p, candidates, t.spec.Process.Args, env)
	}
	return nil
}
