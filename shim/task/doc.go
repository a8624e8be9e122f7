// Package task is the shim's ttrpc service, containerd.task.v2.Task: one container and the processes executed in it.
//
// Called by containerd (ours or the real one) through shim/command's `serve`. Each file is one concept: create.go and exec.go bring
// processes up, exit.go is what happens when one is dead, delete.go takes things away, service.go holds the table and the small calls,
// events.go tells containerd, rootfs.go mounts, register.go binds it to ttrpc.
//
// What it must not do: block one call on another's process; tell anybody of an exit before it is written down; send events in another order
// than create, start, exit, delete.
package task
