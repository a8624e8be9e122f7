// Package cgroup makes, limits, freezes, kills and removes the control groups of one container, on cgroup v1, on v2, and on the hybrid
// of both, decided per controller: what /proc/self/mountinfo says is mounted decides, never a version number.
//
// A controller (memory, pids, …) lives in exactly one hierarchy. On v1 each hierarchy is a mount of its own with its own tree of
// directories, so a container has a directory in each; on v2 one tree holds all controllers. A [Group] is the list of those
// directories, one [Member] each.
//
// Who calls it: hull-runc. create calls [Create] before the container's first process exists; that process then joins by itself, through
// the descriptors of [Group.Procs] (v1: it writes "0") or by being born inside ([Group.Into], v2). The Group is saved as JSON in the
// runtime's state, and a later kill, pause or delete works from that.
//
// What it must not do: know anything of containers, or follow a path that somebody else chose. Directories are opened component by
// component with openat2(2) (no "..", no symbolic link, no other mount), and a directory that is not of a cgroup file system is refused.
//
// Traps:
//   - cpuset on v1 starts empty, and nobody can join a group without CPUs or memory nodes: they are copied from the parent first.
//   - on v2 a controller must be enabled in subtree_control of every ancestor, and a group with processes cannot do that.
//   - rmdir of a group whose last process has just exited may be EBUSY for a moment: [Group.Delete] tries again, with a bound.
//   - on v1 a task with a realtime policy cannot join a cpu group without cpu.rt_runtime_us (RT_GROUP_SCHED): EINVAL at the join.
package cgroup
