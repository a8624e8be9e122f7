package namespace

import (
	"fmt"
	"path/filepath"
	"strings"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// kinds are the namespaces that are offered, in the order in which they are joined: the mount namespace last, because the paths of the
// others are the host's.
var kinds = []struct {
	typ  specs.LinuxNamespaceType
	flag int
}{
	{specs.PIDNamespace, unix.CLONE_NEWPID},
	{specs.NetworkNamespace, unix.CLONE_NEWNET},
	{specs.IPCNamespace, unix.CLONE_NEWIPC},
	{specs.UTSNamespace, unix.CLONE_NEWUTS},
	{specs.CgroupNamespace, unix.CLONE_NEWCGROUP},
	{specs.MountNamespace, unix.CLONE_NEWNS},
}

// Wanted is what a container asks for.
type Wanted struct {
	New   uint64                            // CLONE_NEW… of the namespaces to be made
	Own   map[specs.LinuxNamespaceType]bool // those that are not the runtime's: new, or another container's
	paths map[specs.LinuxNamespaceType]string
	pid   int   // descriptor of the pid namespace to join, or -1
	files []int // descriptors to join in the child
	flags []int
}

// Parse reads the list of namespaces.
func Parse(list []specs.LinuxNamespace) (*Wanted, error) {
	w := &Wanted{Own: map[specs.LinuxNamespaceType]bool{}, paths: map[specs.LinuxNamespaceType]string{}, pid: -1}
	for i, n := range list {
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
		case n.Type == specs.UserNamespace || n.Type == specs.TimeNamespace:
			return refuse(stages.Unsupported, fmt.Errorf("this namespace is not offered yet"))
		case flag == 0:
			return refuse(stages.Invalid, fmt.Errorf("there is no such namespace"))
		case w.Own[n.Type]:
			return refuse(stages.Invalid, fmt.Errorf("given twice"))
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
	return w, nil
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
		if w.Own[k.typ], err = foreign(fd, k.typ); err != nil {
			unix.Close(fd)
			return refuse(err)
		}
		if k.flag == unix.CLONE_NEWPID {
			w.pid = fd
			continue
		}
		w.files, w.flags = append(w.files, fd), append(w.flags, k.flag)
	}
	return nil
}

// foreign reports whether an open namespace is another one than ours, of which nothing may be changed for a container.
func foreign(fd int, typ specs.LinuxNamespaceType) (bool, error) {
	var theirs, ours unix.Stat_t
	err := unix.Fstat(fd, &theirs)
	if err == nil {
		err = unix.Stat("/proc/self/ns/"+file(typ), &ours)
	}
	return theirs.Dev != ours.Dev || theirs.Ino != ours.Ino, err // namespaces(7): the same inode is the same namespace
}

// file is the kind's name in /proc/PID/ns.
func file(typ specs.LinuxNamespaceType) string {
	return strings.ReplaceAll(strings.ReplaceAll(string(typ), "network", "net"), "mount", "mnt")
}

// EnterPID joins the pid namespace on the calling thread, which must be locked. setns(2) moves no process to another pid namespace: it
// says where the caller's next children are born.
func (w *Wanted) EnterPID() error {
	if w.pid < 0 {
		return nil
	}
	if err := unix.Setns(w.pid, unix.CLONE_NEWPID); err != nil {
		return &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Denied, Thing: w.paths[specs.PIDNamespace], Err: fmt.Errorf("setns: %w", err)}
	}
	return nil
}

// Join appends the rows that join the other namespaces. The child has one thread, so all kinds can be joined (setns(2)).
func (w *Wanted) Join(p *linux.Program) {
	for i, fd := range w.files {
		p.At(stages.None, fmt.Sprintf("join %#x", w.flags[i]))
		p.Do(linux.Setns(linux.Num(fd), w.flags[i]))
	}
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
		name := file(k.typ)
		var theirs, ours unix.Stat_t
		path := fmt.Sprintf("/proc/%d/ns/%s", pid, name) // namespaces(7): the same inode is the same namespace
		if err := unix.Stat(path, &theirs); err != nil {
			return 0, &stages.Error{Step: stages.RuncExecJoin, Kind: stages.Internal, Thing: path, Err: err}
		}
		if err := unix.Stat("/proc/self/ns/"+name, &ours); err != nil {
			return 0, &stages.Error{Step: stages.RuncExecJoin, Kind: stages.Internal, Thing: "/proc/self/ns/" + name, Err: err}
		}
		if theirs.Dev != ours.Dev || theirs.Ino != ours.Ino {
			flags |= uint64(k.flag)
		}
	}
	return flags, nil
}
