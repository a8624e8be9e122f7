package bpf

import (
	"hull/stages"

	"golang.org/x/sys/unix"
)

// Bits of hull.c's want[]: what of a system call's arguments is behind a pointer (enum shape).
const (
	str0 = 1 << iota
	str1
	str2
	str3
	sockaddr
	peer
	nsAfter
	reaped
	isPrctl
	needArg2
	isBlob
	fdPath0
	fdPath2
	fdType0
	isWanted
	fdPath1
)

// blob says that argument i points to a struct of n bytes (at most 32) that is copied as it is.
func blob(i, n uint32) uint32 { return isBlob | i<<20 | n<<24 }

// A call is a system call that is recorded: how its event is called, what is copied, and what each argument is called.
type call struct {
	nr    uint32
	name  string
	event stages.Event
	shape uint32
	args  []arg
}

// calls is everything that is recorded of system calls. unix.SYS_* are the running architecture's numbers; what only one of them
// has is in calls_GOARCH.go. User data of mounts (mount's fifth argument, fsconfig's value) is not read: it may hold passwords.
var calls = append(archCalls, []call{
	{unix.SYS_UNSHARE, "unshare", stages.EventUnshare, nsAfter, []arg{{"flags", bits(0, cloneFlags)}}},
	{unix.SYS_SETNS, "setns", stages.EventSetns, nsAfter, []arg{{"fd", num(0)}, {"flags", bits(1, cloneFlags)}}},
	{unix.SYS_MOUNT, "mount", stages.EventMount, str0 | str1 | str2, []arg{{"source", str(0)}, {"target", pathOr(1)}, {"fstype", str(2)}, {"flags", bits(3, mountFlags)}}},
	{unix.SYS_MOVE_MOUNT, "move_mount", stages.EventMount, str1 | str3 | fdPath2 | fdType0, []arg{
		{"source", str(1)}, {"target", pathOr(2)}, {"fstype", fileSystem}, {"flags", bits(4, moveMountFlags)},
	}},
	{unix.SYS_UMOUNT2, "umount2", stages.EventUmount, str0, []arg{{"target", str(0)}, {"flags", bits(1, umountFlags)}}},
	{unix.SYS_FSOPEN, "fsopen", stages.EventFsmount, str0, []arg{{"fstype", str(0)}}},
	{unix.SYS_FSCONFIG, "fsconfig", stages.EventFsmount, str2, []arg{{"fd", num(0)}, {"command", name(1, fsconfigCommands)}, {"key", str(2)}}},
	{unix.SYS_FSMOUNT, "fsmount", stages.EventFsmount, 0, []arg{{"fd", num(0)}, {"attributes", bits(2, mountAttributes)}}},
	{unix.SYS_OPEN_TREE, "open_tree", stages.EventFsmount, str1 | fdPath0, []arg{{"path", str(1)}, {"at", str(fdPath)}, {"flags", bits(2, openTreeFlags)}}},
	{unix.SYS_MOUNT_SETATTR, "mount_setattr", stages.EventFsmount, str1 | fdType0 | fdPath0 | blob(3, 32), []arg{
		{"path", str(1)}, {"at", str(fdPath)}, {"fstype", fileSystem}, {"set", blobBits(0, mountAttributes)}, {"clear", blobBits(8, mountAttributes)}, {"propagation", blobBits(16, mountFlags)},
	}},
	{unix.SYS_PIVOT_ROOT, "pivot_root", stages.EventPivotRoot, str0 | str1, []arg{{"new", str(0)}, {"old", str(1)}}},
	{unix.SYS_CHROOT, "chroot", stages.EventChroot, str0, []arg{{"path", str(0)}}},
	{unix.SYS_MKNODAT, "mknodat", stages.EventMknod, str1 | fdPath0, []arg{{"path", str(1)}, {"at", str(fdPath)}, {"mode", fileMode(2)}, {"device", device(3)}}},
	{unix.SYS_SYMLINKAT, "symlinkat", stages.EventMknod, str0 | str2 | fdPath1, []arg{{"path", str(2)}, {"at", str(fdPath)}, {"to", str(0)}}},
	{unix.SYS_SETHOSTNAME, "sethostname", stages.EventSethostname, str0, []arg{{"name", str(0)}}},
	{unix.SYS_PRLIMIT64, "prlimit64", stages.EventPrlimit, needArg2 | blob(2, 16), []arg{
		{"pid", num(0)}, {"resource", name(1, resources)}, {"soft", limit(0)}, {"hard", limit(8)},
	}},
	{unix.SYS_SETRLIMIT, "setrlimit", stages.EventPrlimit, blob(1, 16), []arg{{"resource", name(0, resources)}, {"soft", limit(0)}, {"hard", limit(8)}}},
	{unix.SYS_SETSID, "setsid", stages.EventSetsid, 0, nil},
	{unix.SYS_SETUID, "setuid", stages.EventSetuid, 0, []arg{{"uid", num(0)}}},
	{unix.SYS_SETGID, "setgid", stages.EventSetuid, 0, []arg{{"gid", num(0)}}},
	{unix.SYS_SETREUID, "setreuid", stages.EventSetuid, 0, []arg{{"real", num(0)}, {"effective", num(1)}}},
	{unix.SYS_SETREGID, "setregid", stages.EventSetuid, 0, []arg{{"real", num(0)}, {"effective", num(1)}}},
	{unix.SYS_SETRESUID, "setresuid", stages.EventSetuid, 0, []arg{{"real", num(0)}, {"effective", num(1)}, {"saved", num(2)}}},
	{unix.SYS_SETRESGID, "setresgid", stages.EventSetuid, 0, []arg{{"real", num(0)}, {"effective", num(1)}, {"saved", num(2)}}},
	{unix.SYS_SETGROUPS, "setgroups", stages.EventSetuid, 0, []arg{{"groups", num(0)}}},
	{unix.SYS_CAPSET, "capset", stages.EventCapset, blob(1, 24), []arg{{"effective", capabilities(0)}, {"permitted", capabilities(4)}, {"inheritable", capabilities(8)}}},
	{unix.SYS_PRCTL, "prctl", stages.EventPrctl, isPrctl, []arg{{"option", name(0, prctlOptions)}, {"value", num(1)}}},
	{unix.SYS_SECCOMP, "seccomp", stages.EventSeccomp, 0, []arg{{"operation", name(0, seccompOperations)}, {"flags", bits(1, seccompFlags)}}},
	{unix.SYS_CONNECT, "connect", stages.EventConnect, sockaddr, []arg{{"fd", num(0)}, {"path", unixPath}, {"address", inetAddress}}},
	{unix.SYS_ACCEPT4, "accept4", stages.EventAccept, peer, []arg{{"fd", num(0)}, {"peer", other}}},
	{unix.SYS_ACCEPT, "accept", stages.EventAccept, peer, []arg{{"fd", num(0)}, {"peer", other}}},
	{unix.SYS_WAIT4, "wait4", stages.EventWait, reaped | blob(1, 4), []arg{{"pid", result}, {"status", waitStatus}}},
	{unix.SYS_WAITID, "waitid", stages.EventWait, blob(2, 32), []arg{{"pid", siginfoPID}, {"status", siginfoStatus}, {"options", bits(3, waitOptions)}}},
}...)

var callsByNumber = func() map[uint32]call {
	m := make(map[uint32]call, len(calls))
	for _, c := range calls {
		m[c.nr] = c
	}
	return m
}()

// wanted is hull.c's want[] for the running architecture.
func wanted() (want [512]uint32) {
	for _, c := range calls {
		want[c.nr] = c.shape | isWanted
	}
	return want
}
