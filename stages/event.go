package stages

// An Event is a kind of kernel event, as hull-trace's eBPF programs see it. In exports its name is "kernel.<name>".
type Event uint8

const (
	EventNone Event = iota
	EventClone
	EventExec
	EventExit
	EventReparent
	EventWait
	EventSignal
	EventUnshare
	EventSetns
	EventCgroupMkdir
	EventCgroupAttach
	EventMount // mount(2) and move_mount(2): something appears in a mount tree
	EventUmount
	EventFsmount // fsopen, fsconfig, fsmount, open_tree, mount_setattr: mounts being prepared
	EventPivotRoot
	EventChroot
	EventMknod
	EventSethostname
	EventPrlimit
	EventSetsid
	EventSetuid // setuid, setgid, setgroups and their res- forms
	EventCapset
	EventPrctl
	EventSeccomp
	EventConnect
	EventAccept

	eventCount
)

var eventNames = [eventCount]string{
	EventNone: "none", EventClone: "clone", EventExec: "exec", EventExit: "exit", EventReparent: "reparent", EventWait: "wait",
	EventSignal: "signal", EventUnshare: "unshare", EventSetns: "setns", EventCgroupMkdir: "cgroup_mkdir",
	EventCgroupAttach: "cgroup_attach", EventMount: "mount", EventUmount: "umount", EventFsmount: "fsmount",
	EventPivotRoot: "pivot_root", EventChroot: "chroot", EventMknod: "mknod", EventSethostname: "sethostname",
	EventPrlimit: "prlimit", EventSetsid: "setsid", EventSetuid: "setuid", EventCapset: "capset", EventPrctl: "prctl",
	EventSeccomp: "seccomp", EventConnect: "connect", EventAccept: "accept",
}

// String is the event's name without the "kernel." prefix.
func (e Event) String() string {
	if e >= eventCount {
		return "none"
	}
	return eventNames[e]
}

// LookupEvent finds an event kind by its name without the "kernel." prefix.
func LookupEvent(name string) (Event, bool) {
	for e := EventNone + 1; e < eventCount; e++ {
		if eventNames[e] == name {
			return e, true
		}
	}
	return EventNone, false
}
