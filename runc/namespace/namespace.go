package namespace

import (
	"fmt"
	"os"
	"path/filepath"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// kinds are the namespaces that there are, in the order in which they are joined: the user namespace first where the rights come from it
// (see [Wanted.Join]), the mount namespace last, because the paths of the others are the host's.
var kinds = []struct {
	typ  specs.LinuxNamespaceType
	flag int
	file string // its name in /proc/PID/ns
}{
	{specs.UserNamespace, unix.CLONE_NEWUSER, "user"},
	{specs.PIDNamespace, unix.CLONE_NEWPID, "pid"},
	{specs.NetworkNamespace, unix.CLONE_NEWNET, "net"},
	{specs.IPCNamespace, unix.CLONE_NEWIPC, "ipc"},
	{specs.UTSNamespace, unix.CLONE_NEWUTS, "uts"},
	{specs.CgroupNamespace, unix.CLONE_NEWCGROUP, "cgroup"},
	{specs.TimeNamespace, unix.CLONE_NEWTIME, "time"},
	{specs.MountNamespace, unix.CLONE_NEWNS, "mnt"},
}

// Wanted is what a container asks for.
type Wanted struct {
	New     uint64                              // CLONE_NEW… of the namespaces to be made
	Own     map[specs.LinuxNamespaceType]bool   // those that are not the runtime's: new, or another container's
	Users   Users                               // the ids of the user namespace, if there is one
	Offsets map[string]specs.LinuxTimeOffset    // linux.timeOffsets
	paths   map[specs.LinuxNamespaceType]string // those to be joined
	files   map[specs.LinuxNamespaceType]int    // their descriptors, after Open
}

// Parse reads the list of namespaces, and the fields that go with it: uidMappings, gidMappings, timeOffsets.
func Parse(l *specs.Linux) (*Wanted, error) {
	w := &Wanted{Own: map[specs.LinuxNamespaceType]bool{}, Offsets: l.TimeOffsets, paths: map[specs.LinuxNamespaceType]string{}, files: map[specs.LinuxNamespaceType]int{}}
	for i, n := range l.Namespaces {
		field := fmt.Sprintf("linux.namespaces[%d] %s", i, n.Type)
		refuse := func(kind stages.Kind, err error) (*Wanted, error) {
			return nil, &stages.Error{Step: stages.RuncNsCreate, Kind: kind, Thing: field, Err: err}
		}
		flag := 0
		for _, k := range kinds {
			if k.typ == n.Type {
				flag = k.flag
			}
		}
		switch {
		case flag == 0:
			return refuse(stages.Invalid, fmt.Errorf("there is no such namespace"))
		case w.Own[n.Type]:
			return refuse(stages.Invalid, fmt.Errorf("given twice"))
		case (flag == unix.CLONE_NEWUSER || flag == unix.CLONE_NEWTIME) && unix.Access("/proc/self/ns/"+string(n.Type), unix.F_OK) != nil: // not in every kernel
			return refuse(stages.Unsupported, fmt.Errorf("%s namespaces aren't enabled in the kernel", n.Type))
		case n.Path == "":
			w.New |= uint64(flag)
		case !filepath.IsAbs(n.Path):
			return refuse(stages.Invalid, fmt.Errorf("path %q is not absolute", n.Path))
		default:
			w.paths[n.Type] = n.Path
		}
		w.Own[n.Type] = true
	}
	if !w.Own[specs.MountNamespace] {
		return nil, &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Unsupported, Thing: "linux.namespaces", Err: fmt.Errorf("no mount namespace"), Hint: "the set-up would change the host's mounts"}
	}
	if err := w.checkUsers(l); err != nil {
		return nil, err
	}
	return w, w.checkTime()
}

// Open opens the namespaces that are to be joined, and checks that each is what it claims to be.
func (w *Wanted) Open() error {
	for _, k := range kinds {
		path, ok := w.paths[k.typ]
		if !ok {
			continue
		}
		refuse := func(err error) error {
			return &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Invalid, Thing: path, Err: err, Hint: fmt.Sprintf("it is to be the %s namespace", k.typ)}
		}
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return refuse(err)
		}
		if typ, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil || typ != k.flag { // ioctl_ns(2), Linux 4.11
			unix.Close(fd)
			return refuse(fmt.Errorf("not a namespace of that kind"))
		}
		if w.Own[k.typ], err = foreign(fd, k.file); err == nil && !w.Own[k.typ] && k.flag == unix.CLONE_NEWUSER {
			err = fmt.Errorf("it is the runtime's own")
		}
		if err != nil {
			unix.Close(fd)
			return refuse(err)
		}
		w.files[k.typ] = fd
	}
	return w.readUsers()
}

// foreign reports whether an open namespace is another one than ours, of which nothing may be changed for a container.
func foreign(fd int, file string) (bool, error) {
	var theirs, ours unix.Stat_t
	err := unix.Fstat(fd, &theirs)
	if err == nil {
		err = unix.Stat("/proc/self/ns/"+file, &ours)
	}
	return theirs.Dev != ours.Dev || theirs.Ino != ours.Ino, err // namespaces(7): the same inode is the same namespace
}

// Staged reports whether the namespaces take two processes: one that joins, and one that it clones into the new ones. It is so where a
// user namespace meets one that exists: what is made must belong to the user namespace, so that one is entered first, and what is joined
// may belong to the host, where the rights are gone by then.
func (w *Wanted) Staged() bool { return w.Own[specs.UserNamespace] && len(w.paths) > 0 }

// EnterPID joins the pid namespace on the calling thread, which must be locked. setns(2) moves no process to another pid namespace: it
// says where the caller's next children are born.
func (w *Wanted) EnterPID() error {
	fd, ok := w.files[specs.PIDNamespace]
	if !ok || w.Staged() {
		return nil
	}
	if err := unix.Setns(fd, unix.CLONE_NEWPID); err != nil {
		return &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Denied, Thing: w.paths[specs.PIDNamespace], Err: fmt.Errorf("setns: %w", err)}
	}
	return nil
}

// Join appends the rows that join the other namespaces. The child has one thread, so all kinds can be joined (setns(2)). clone are the
// namespaces to be made; where that takes two processes, the rows after these are the second one's.
//
// The right to join comes from the host, and then the user namespace is the last, because it takes that right away; or, for an ordinary
// user, from the user namespace.
func (w *Wanted) Join(p *linux.Program, clone uint64) error {
	if _, joinsTime := w.files[specs.TimeNamespace]; joinsTime {
		p.Copy = true // whoever enters must not share its memory: EUSERS (setns(2))
	}
	user, joinsUser := w.files[specs.UserNamespace]
	last := joinsUser && os.Geteuid() == 0
	if joinsUser && !last {
		join(p, specs.UserNamespace, user, unix.CLONE_NEWUSER)
	}
	for _, k := range kinds {
		if fd, ok := w.files[k.typ]; ok && k.flag != unix.CLONE_NEWUSER && (k.flag != unix.CLONE_NEWPID || w.Staged()) {
			join(p, k.typ, fd, k.flag)
		}
	}
	if last {
		join(p, specs.UserNamespace, user, unix.CLONE_NEWUSER)
	}
	if !w.Staged() {
		return nil
	}
	p.At(stages.None, "the process in the new namespaces")
	return p.Born(clone)
}

func join(p *linux.Program, typ specs.LinuxNamespaceType, fd, flag int) {
	p.At(stages.None, fmt.Sprintf("join the %s namespace", typ))
	p.Do(linux.Setns(linux.Num(fd), flag))
}

// Cgroup appends the row that enters a new cgroup namespace. Its root is where the process stands at that moment, so on v1 it comes
// after the joins (cgroup_namespaces(7)).
func Cgroup(p *linux.Program) {
	p.At(stages.RuncInitCgroupNamespace, "")
	p.Do(linux.Unshare(unix.CLONE_NEWCGROUP))
}

// Others are the CLONE_NEW… of those namespaces of a process that are not ours. Joining one that is would gain nothing, and may be
// refused.
func Others(pid int) (flags uint64, err error) {
	for _, k := range kinds {
		var theirs, ours unix.Stat_t
		path := fmt.Sprintf("/proc/%d/ns/%s", pid, k.file) // namespaces(7): the same inode is the same namespace
		if err := unix.Stat("/proc/self/ns/"+k.file, &ours); err == unix.ENOENT {
			continue // a kind that this kernel has not
		} else if err != nil {
			return 0, &stages.Error{Step: stages.RuncExecJoin, Kind: stages.Internal, Thing: "/proc/self/ns/" + k.file, Err: err}
		}
		if err := unix.Stat(path, &theirs); err != nil {
			return 0, &stages.Error{Step: stages.RuncExecJoin, Kind: stages.Internal, Thing: path, Err: err}
		}
		if theirs.Dev != ours.Dev || theirs.Ino != ours.Ino {
			flags |= uint64(k.flag)
		}
	}
	return flags, nil
}
