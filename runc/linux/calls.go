package linux

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The constructors below make one row for one system call, with the argument order of its manual page.

func call(name string, nr uintptr, args ...Arg) Row {
	r := Row{Name: name, NR: nr, arity: len(args)}
	copy(r.Args[:], args)
	return r
}

// Give up with the errno: the end of a row of attempts.
func GiveUp(errno unix.Errno) Row {
	r := call("fail", Fail, Num(int(errno)))
	return r
}

// Unless is the row that fails with the errno if the number, which an earlier row has filled in, is that one.
func Unless(n *int64, is int64, errno unix.Errno) Row {
	return call("check", FailIf, Num(int(errno)), Mem(n), Num(int(is)))
}

// Openat is openat(2).
func Openat(dir Arg, path string, flags int, out *int32) Row {
	r := call("openat", unix.SYS_OPENAT, dir, Str(path), Num(flags|unix.O_CLOEXEC), Num(0o600))
	r.Out = out
	return r
}

// Openat2 is openat2(2), Linux 5.6: resolve says which ways out of dir are closed.
func Openat2(dir Arg, path string, flags int, resolve uint64, out *int32) Row {
	how := &unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Resolve: resolve}
	r := call("openat2", unix.SYS_OPENAT2, dir, Str(path), Mem(how), Num(int(unsafe.Sizeof(*how))))
	r.Out = out
	return r
}

// Mkdirat is mkdirat(2).
func Mkdirat(dir Arg, path string, mode int) Row {
	return call("mkdirat", unix.SYS_MKDIRAT, dir, Str(path), Num(mode))
}

// Mknodat is mknodat(2); mode holds the type.
func Mknodat(dir Arg, path string, mode uint32, dev uint64) Row {
	return call("mknodat", unix.SYS_MKNODAT, dir, Str(path), Num(int(mode)), Num(int(dev)))
}

// Symlinkat is symlinkat(2).
func Symlinkat(target string, dir Arg, path string) Row {
	return call("symlinkat", unix.SYS_SYMLINKAT, Str(target), dir, Str(path))
}

// Fchownat is fchownat(2) that follows no link.
func Fchownat(dir Arg, path string, uid, gid int) Row {
	return call("fchownat", unix.SYS_FCHOWNAT, dir, Str(path), Num(uid), Num(gid), Num(unix.AT_SYMLINK_NOFOLLOW))
}

// Fchown is fchown(2).
func Fchown(fd Arg, uid, gid int) Row { return call("fchown", unix.SYS_FCHOWN, fd, Num(uid), Num(gid)) }

// Fchmodat is fchmodat(2), with a mode that an earlier row has filled in; what is not a permission in it counts for nothing.
func Fchmodat(dir Arg, path string, mode *uint32) Row {
	return call("fchmodat", unix.SYS_FCHMODAT, dir, Str(path), FD((*int32)(unsafe.Pointer(mode))))
}

// Fstat is fstat(2).
func Fstat(fd Arg, into *unix.Stat_t) Row { return call("fstat", unix.SYS_FSTAT, fd, Mem(into)) }

// Fstatfs is fstatfs(2).
func Fstatfs(fd Arg, into *unix.Statfs_t) Row {
	return call("fstatfs", unix.SYS_FSTATFS, fd, Mem(into))
}

// Read is read(2) of one byte: the child waits until there is one, or until the other end is closed.
func Read(fd Arg) Row { return call("read", unix.SYS_READ, fd, Mem(new(byte)), Num(1)) }

// Write is write(2) of the whole text.
func Write(fd Arg, s string) Row {
	return call("write", unix.SYS_WRITE, fd, Str(s), Num(len(s)))
}

// Close is close(2).
func Close(fd Arg) Row { return call("close", unix.SYS_CLOSE, fd) }

// CloseRange is close_range(2), Linux 5.9: every descriptor from first to last; -1 is the highest there can be.
func CloseRange(first, last int) Row {
	return call("close_range", unix.SYS_CLOSE_RANGE, Num(first), Arg{Value: uintptr(uint32(last))}, Num(0))
}

// CloexecRange is close_range(2) with CLOSE_RANGE_CLOEXEC, Linux 5.11: they stay open, and execve(2) closes them.
func CloexecRange(first, last int) Row {
	return call("close_range", unix.SYS_CLOSE_RANGE, Num(first), Arg{Value: uintptr(uint32(last))}, Num(unix.CLOSE_RANGE_CLOEXEC))
}

// Dup3 is dup3(2): exactly that number.
func Dup3(fd Arg, to, flags int) Row { return call("dup3", unix.SYS_DUP3, fd, Num(to), Num(flags)) }

// Fchdir is fchdir(2).
func Fchdir(fd Arg) Row { return call("fchdir", unix.SYS_FCHDIR, fd) }

// Chdir is chdir(2).
func Chdir(path string) Row { return call("chdir", unix.SYS_CHDIR, Str(path)) }

// Mount is mount(2), for propagation only: everything that appears is attached by MoveMount.
func Mount(target string, flags uint) Row {
	return call("mount", unix.SYS_MOUNT, Str(""), Str(target), Str(""), Num(int(flags)))
}

// PivotRoot is pivot_root(2).
func PivotRoot(newRoot, putOld string) Row {
	return call("pivot_root", unix.SYS_PIVOT_ROOT, Str(newRoot), Str(putOld))
}

// Umount is umount2(2).
func Umount(path string, flags int) Row {
	return call("umount2", unix.SYS_UMOUNT2, Str(path), Num(flags))
}

// Fsopen is fsopen(2), Linux 5.2: a file system about to be configured.
func Fsopen(fstype string, out *int32) Row {
	r := call("fsopen", unix.SYS_FSOPEN, Str(fstype), Num(unix.FSOPEN_CLOEXEC))
	r.Out = out
	return r
}

// Fsconfig sets one option: key=value, or a flag when value is nil.
func Fsconfig(fs Arg, key string, value *string) Row {
	if value == nil {
		return call("fsconfig", unix.SYS_FSCONFIG, fs, Num(unix.FSCONFIG_SET_FLAG), Str(key), Num(0), Num(0))
	}
	return call("fsconfig", unix.SYS_FSCONFIG, fs, Num(unix.FSCONFIG_SET_STRING), Str(key), Str(*value), Num(0))
}

// FsCreate makes the configured file system's superblock.
func FsCreate(fs Arg) Row {
	return call("fsconfig", unix.SYS_FSCONFIG, fs, Num(unix.FSCONFIG_CMD_CREATE), Num(0), Num(0), Num(0))
}

// Fsmount is fsmount(2): a mount of it that is attached nowhere yet.
func Fsmount(fs Arg, attrs uint64, out *int32) Row {
	r := call("fsmount", unix.SYS_FSMOUNT, fs, Num(unix.FSMOUNT_CLOEXEC), Num(int(attrs)))
	r.Out = out
	return r
}

// OpenTree is open_tree(2), Linux 5.2; with OPEN_TREE_CLONE a detached bind mount.
func OpenTree(dir Arg, path string, flags uint, out *int32) Row {
	r := call("open_tree", unix.SYS_OPEN_TREE, dir, Str(path), Num(int(flags|unix.OPEN_TREE_CLOEXEC)))
	r.Out = out
	return r
}

// MountSetattr is mount_setattr(2), Linux 5.12, on the mount behind a descriptor.
func MountSetattr(fd Arg, flags uint, attr unix.MountAttr) Row {
	a := &attr
	return call("mount_setattr", unix.SYS_MOUNT_SETATTR, fd, Str(""), Num(int(flags|unix.AT_EMPTY_PATH)), Mem(a), Num(int(unsafe.Sizeof(attr))))
}

// MoveMount is move_mount(2), Linux 5.2: the detached mount appears at the target. Descriptors on both sides: no path is walked.
func MoveMount(mount, target Arg) Row {
	return call("move_mount", unix.SYS_MOVE_MOUNT, mount, Str(""), target, Str(""), Num(unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH))
}

// Setns is setns(2).
func Setns(fd Arg, nstype int) Row { return call("setns", unix.SYS_SETNS, fd, Num(nstype)) }

// SetnsOf is setns(2) on a pidfd, Linux 5.8: all of the process's namespaces that flags names, or none of them.
func SetnsOf(pidfd int, flags uint64) Row {
	return call("setns", unix.SYS_SETNS, Num(pidfd), Num(int(flags)))
}

// Unshare is unshare(2).
func Unshare(flags int) Row { return call("unshare", unix.SYS_UNSHARE, Num(flags)) }

// Setsid is setsid(2).
func Setsid() Row { return call("setsid", unix.SYS_SETSID) }

// Prctl is prctl(2).
func Prctl(option int, args ...Arg) Row {
	return call("prctl", unix.SYS_PRCTL, append([]Arg{Num(option)}, args...)...)
}

// Ioctl is ioctl(2). Its result goes to out, where there is one.
func Ioctl(fd Arg, req uint, arg Arg, out *int32) Row {
	r := call("ioctl", unix.SYS_IOCTL, fd, Num(int(req)), arg)
	r.Out = out
	return r
}

// Socket is socket(2).
func Socket(domain, typ, proto int, out *int32) Row {
	r := call("socket", unix.SYS_SOCKET, Num(domain), Num(typ|unix.SOCK_CLOEXEC), Num(proto))
	r.Out = out
	return r
}

// Sethostname is sethostname(2).
func Sethostname(name string) Row {
	return call("sethostname", unix.SYS_SETHOSTNAME, Str(name), Num(len(name)))
}

// Setdomainname is setdomainname(2).
func Setdomainname(name string) Row {
	return call("setdomainname", unix.SYS_SETDOMAINNAME, Str(name), Num(len(name)))
}

// Prlimit is prlimit64(2) on the caller itself.
func Prlimit(resource int, limit unix.Rlimit) Row {
	l := &limit
	return call("prlimit64", unix.SYS_PRLIMIT64, Num(0), Num(resource), Mem(l))
}

// Setgroups is setgroups(2).
func Setgroups(gids []uint32) Row {
	list := append([]uint32{}, gids...)
	r := call("setgroups", unix.SYS_SETGROUPS, Num(len(list)), Num(0))
	if len(list) > 0 {
		r.Args[1] = Mem(&list[0])
	}
	return r
}

// Setresgid is setresgid(2) to one gid. The raw call acts on the calling thread, which is all that the child has.
func Setresgid(gid uint32) Row {
	return call("setresgid", unix.SYS_SETRESGID, Num(int(gid)), Num(int(gid)), Num(int(gid)))
}

// Setresuid is setresuid(2) to one uid.
func Setresuid(uid uint32) Row {
	return call("setresuid", unix.SYS_SETRESUID, Num(int(uid)), Num(int(uid)), Num(int(uid)))
}

// Capset is capset(2), version 3, on the caller itself.
func Capset(data [2]unix.CapUserData) Row {
	return call("capset", unix.SYS_CAPSET, Mem(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}), Mem(&data))
}

// Seccomp is seccomp(2) SECCOMP_SET_MODE_FILTER. The kernel copies the program.
func Seccomp(flags uint, filter []unix.SockFilter) Row {
	prog := &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return call("seccomp", unix.SYS_SECCOMP, Num(unix.SECCOMP_SET_MODE_FILTER), Num(int(flags)), Mem(prog))
}

// Umask is umask(2).
func Umask(mask int) Row { return call("umask", unix.SYS_UMASK, Num(mask)) }

// Personality is personality(2).
func Personality(domain int) Row { return call("personality", unix.SYS_PERSONALITY, Num(domain)) }

// JoinSessionKeyring is keyctl(2) KEYCTL_JOIN_SESSION_KEYRING with a new keyring of that name.
func JoinSessionKeyring(name string) Row {
	return call("keyctl", unix.SYS_KEYCTL, Num(unix.KEYCTL_JOIN_SESSION_KEYRING), Str(name))
}

// DefaultAction is rt_sigaction(2): the signal's default disposition.
func DefaultAction(signal int) Row {
	var act [4]uint64 // struct kernel_sigaction: all zero is SIG_DFL
	a := &act
	return call("rt_sigaction", unix.SYS_RT_SIGACTION, Num(signal), Mem(a), Num(0), Num(8))
}

// OpenSignals is rt_sigprocmask(2): no signal is blocked any more.
func OpenSignals() Row {
	var none unix.Sigset_t
	n := &none
	return call("rt_sigprocmask", unix.SYS_RT_SIGPROCMASK, Num(unix.SIG_SETMASK), Mem(n), Num(0), Num(8))
}

// Faccessat2 is faccessat2(2), Linux 5.8, with the effective ids.
func Faccessat2(path string, mode int) Row {
	return call("faccessat2", unix.SYS_FACCESSAT2, Cwd(), Str(path), Num(mode), Num(unix.AT_EACCESS))
}

// Execve is execve(2). It returns only on error.
func Execve(path string, argv, envp Arg) Row {
	return call("execve", unix.SYS_EXECVE, Str(path), argv, envp)
}

// Sendmsg is sendmsg(2).
func Sendmsg(fd Arg, msg *unix.Msghdr) Row {
	return call("sendmsg", unix.SYS_SENDMSG, fd, Mem(msg), Num(unix.MSG_NOSIGNAL))
}

// SchedSetattr is sched_setattr(2), Linux 3.14, on the caller itself.
func SchedSetattr(attr unix.SchedAttr) Row {
	a := &attr
	a.Size = unix.SizeofSchedAttr
	return call("sched_setattr", unix.SYS_SCHED_SETATTR, Num(0), Mem(a), Num(0))
}

// SchedSetaffinity is sched_setaffinity(2) on the caller itself. cpus has one bit for each CPU.
func SchedSetaffinity(cpus []uint64) Row {
	return call("sched_setaffinity", unix.SYS_SCHED_SETAFFINITY, Num(0), Num(8*len(cpus)), Mem(&cpus[0]))
}

// IoprioSet is ioprio_set(2) on the caller itself.
func IoprioSet(priority int) Row {
	const process = 1 // IOPRIO_WHO_PROCESS
	return call("ioprio_set", unix.SYS_IOPRIO_SET, Num(process), Num(0), Num(priority))
}

// SetMempolicy is set_mempolicy(2). nodes has one bit for each NUMA node; empty is none.
func SetMempolicy(mode int, nodes []uint64) Row {
	if len(nodes) == 0 {
		return call("set_mempolicy", unix.SYS_SET_MEMPOLICY, Num(mode), Num(0), Num(0))
	}
	return call("set_mempolicy", unix.SYS_SET_MEMPOLICY, Num(mode), Mem(&nodes[0]), Num(64*len(nodes)+1)) // the kernel takes one bit less
}
