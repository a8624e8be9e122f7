package modeltest

import (
	"fmt"

	"hull/stages"
	"hull/trace/model"
)

func (b *builder) client() int {
	b.t.Processes = append(b.t.Processes, model.Process{
		Proc: model.Proc{PID: 4711, Start: 97_811}, Stage: "client", Exe: "/usr/local/bin/hull", Comm: "hull", Born: b.now,
		Parents: []model.Parent{{Time: b.now, Proc: model.Proc{PID: 4500, Start: 60_000}}},
	})
	hull := len(b.t.Processes) - 1
	b.exec(hull, "/usr/local/bin/hull", b.t.Command...)
	return hull
}

// connect is both sides of a new connection.
func (b *builder) connect(from, to int, path string) {
	b.event(stages.EventConnect, from, 25, "connect", 0, "path", path)
	b.event(stages.EventAccept, to, 10, "accept4", 11, "peer", itoa(b.t.Processes[from].Proc.PID), "path", path)
}

// create is what the daemon does for POST /containers/create.
func (b *builder) create(hulld, ctrd int) {
	b.step(stages.DaemonCreate, hulld, "", func() {
		b.wait(80)
		b.step(stages.DaemonImageResolve, hulld, "", func() {
			b.attrs("image", "docker.io/library/busybox:latest", "digest", "sha256:9ae97d36d26566ff84e8893c64a6dc4fe8ca6d1144bf5b87b2b85a32def253c7")
			b.wait(310)
		})
		b.step(stages.DaemonNetworkAllocate, hulld, "", func() { b.attrs("network", "none") })
		b.step(stages.DaemonSpec, hulld, "", func() { b.wait(260) })
		b.step(stages.ContainerdSnapshotPrepare, ctrd, "", func() { b.attrs("snapshotter", "overlayfs", "parents", "1"); b.wait(420) })
		b.step(stages.ContainerdContainerCreate, ctrd, "", func() { b.wait(180) })
		b.step(stages.DaemonContainerCreate, hulld, "", func() { b.attrs("container.id", id); b.wait(240) })
	})
}

// A run is the second half: what happens from POST start on, with the processes that come and go.
type run struct {
	*builder
	hulld, ctrd, shim, create, init int
	waitSpan                        int // the span client.wait, open all the time
	adopt                           int // the span shim.adopt
}

func (r *run) start() {
	r.step(stages.DaemonNetworkPlug, r.hulld, "", nil)
	r.step(stages.DaemonTaskCreate, r.hulld, "", func() {
		r.step(stages.ContainerdTaskCreate, r.ctrd, "", r.taskCreate)
	})
	r.step(stages.DaemonTaskStart, r.hulld, "", func() {
		r.step(stages.ContainerdTaskStart, r.ctrd, "", r.taskStart)
	})
}

func (r *run) taskCreate() {
	r.step(stages.ContainerdBundle, r.ctrd, "", func() {
		bundle := r.fork(r.ctrd, 4718, stages.Bundle, 420, "CLONE_VM|CLONE_VFORK|SIGCHLD")
		r.exec(bundle, "/usr/local/bin/hull-bundle", "hull-bundle", "create")
		r.wait(4200)
		r.step(stages.BundleCreate, bundle, "", func() {
			r.attrs("bundle", bundleDir)
			r.step(stages.BundleRootfs, bundle, "", nil)
			r.step(stages.BundleConfig, bundle, "", func() { r.attrs("bytes", "6214"); r.wait(210) })
		})
		r.exit(bundle, 0)
		r.event(stages.EventWait, r.ctrd, 60, "waitid", 0, "child", "4718", "status", "0")
	})
	r.step(stages.ContainerdShimStart, r.ctrd, "", func() {
		first := r.fork(r.ctrd, 4725, stages.Shim, 430, "CLONE_VM|CLONE_VFORK|SIGCHLD")
		r.exec(first, "/usr/local/bin/hull-shim", "hull-shim", "-namespace", "hull", "-id", id[:12], "start")
		r.wait(5100)
		r.step(stages.ShimStart, first, "", func() {
			r.shim = r.fork(first, 4731, stages.Shim, 440, "CLONE_VM|CLONE_VFORK|SIGCHLD")
			r.event(stages.EventSetsid, r.shim, 3, "setsid", 4731)
			r.exec(r.shim, "/usr/local/bin/hull-shim", "hull-shim", "-namespace", "hull", "-id", id[:12])
			r.wait(5200)
			r.step(stages.ShimSubreaper, r.shim, "", func() {
				r.event(stages.EventPrctl, r.shim, 1, "prctl", 0, "option", "PR_SET_CHILD_SUBREAPER", "arg2", "1")
			})
		})
		r.reparentToInit(r.shim, first)
		r.exit(first, 0)
		r.event(stages.EventWait, r.ctrd, 60, "waitid", 0, "child", "4725", "status", "0")
	})
	r.connect(r.ctrd, r.shim, "/run/hull/s/3f21.sock")
	r.step(stages.ShimRootfsMount, r.shim, "", func() {
		r.attrs("type", "overlay", "target", bundleDir+"/rootfs")
		r.event(stages.EventFsmount, r.shim, 12, "fsopen", 14, "fs", "overlay")
		r.event(stages.EventMount, r.shim, 140, "mount", 0, "type", "overlay", "target", bundleDir+"/rootfs", "lowerdir", lower)
	})
	r.step(stages.ShimStdioOpen, r.shim, "", func() { r.wait(90) })
	r.step(stages.ShimRuntimeCreate, r.shim, "", func() {
		r.create = r.fork(r.shim, 4740, stages.Runc, 410, "CLONE_VM|CLONE_VFORK|SIGCHLD")
		r.exec(r.create, "/usr/local/bin/hull-runc", "hull-runc", "--root", "/run/hull/runc", "create", "--bundle", bundleDir, id[:12])
		r.wait(4600)
		r.runcCreate()
		r.event(stages.EventWait, r.shim, 40, "waitid", 0, "child", "4740", "status", "0")
		r.adopt = r.begin(stages.ShimAdopt, r.shim, "")
		r.reparent(r.init, r.create, r.shim)
		r.end(r.adopt)
	})
}

// reparentToInit gives an orphan to the machine's own pid 1, which is not part of the trace.
func (b *builder) reparentToInit(child, from int) {
	c := &b.t.Processes[child]
	b.event(stages.EventReparent, from, 0, "", 0, "child", itoa(c.Proc.PID), "old", itoa(b.t.Processes[from].Proc.PID), "new", "1")
	c.Parents = append(c.Parents, model.Parent{Time: b.now, Proc: model.Proc{PID: 1, Start: 1}})
}

func (r *run) runcCreate() {
	i := r.begin(stages.RuncCreate, r.create, "")
	r.event(stages.EventExec, r.create, 0, "execve", 0, "exe", "/usr/local/bin/hull-runc", "argv", `["hull-runc" "create"]`)
	r.wait(300)
	controllers := []string{"memory", "cpu,cpuacct", "pids", "devices", "freezer"}
	for _, c := range controllers {
		r.step(stages.RuncCgroupCreate, r.create, c, func() {
			r.event(stages.EventCgroupMkdir, r.create, 60, "mkdirat", 0, "path", "/hull-1f0c/"+id[:12], "hierarchy", c)
		})
	}
	r.step(stages.RuncCgroupLimits, r.create, "", func() { r.attrs("memory.limit_in_bytes", "67108864", "pids.max", "64"); r.wait(110) })
	ns := r.begin(stages.RuncNsCreate, r.create, "")
	r.init = r.fork(r.create, 4747, stages.Runc, 780, newFlags, "pid_ns", "4026532441", "mnt_ns", "4026532438", "uts_ns", "4026532439",
		"ipc_ns", "4026532440", "net_ns", "4026532443")
	r.t.Processes[r.init].NSPID = 1
	for _, c := range controllers {
		r.step(stages.RuncCgroupJoin, r.create, c, func() {
			r.event(stages.EventCgroupAttach, r.create, 45, "write", 4, "path", "/hull-1f0c/"+id[:12], "hierarchy", c, "task", "4747")
		})
	}
	r.initSteps()
	r.end(ns)
	r.step(stages.RuncStateSave, r.create, "", func() { r.wait(160) })
	r.step(stages.RuncCreateExit, r.create, "", func() { r.exit(r.create, 0) })
	r.end(i)
}

// initSteps is the table that the container's first process works through.
func (r *run) initSteps() {
	do := func(id stages.ID, instance string, kind stages.Event, d int64, call string, kv ...string) {
		r.step(id, r.init, instance, func() { r.event(kind, r.init, d, call, 0, kv...) })
	}
	do(stages.RuncInitCgroupNamespace, "", stages.EventUnshare, 14, "unshare", "flags", "CLONE_NEWCGROUP", "cgroup_ns", "4026532444")
	do(stages.RuncInitSession, "", stages.EventSetsid, 2, "setsid")
	do(stages.RuncInitPropagation, "", stages.EventMount, 9, "mount", "target", "/", "flags", "MS_REC|MS_PRIVATE")
	for _, m := range [][2]string{
		{"/proc", "proc"},
		{"/dev", "tmpfs"},
		{"/dev/pts", "devpts"},
		{"/sys", "sysfs"},
		{"/sys/fs/cgroup", "tmpfs"},
		{"/dev/mqueue", "mqueue"},
		{"/dev/shm", "tmpfs"},
	} {
		r.step(stages.RuncInitMounts, r.init, m[0], func() {
			r.event(stages.EventFsmount, r.init, 11, "fsopen", 5, "fs", m[1])
			r.event(stages.EventFsmount, r.init, 24, "fsmount", 6)
			r.event(stages.EventMount, r.init, 31, "move_mount", 0, "target", m[0], "type", m[1])
		})
	}
	for _, d := range []string{"null", "zero", "full", "tty", "random", "urandom"} {
		do(stages.RuncInitDevices, "/dev/"+d, stages.EventMknod, 7, "mknodat", "path", "dev/"+d, "mode", "S_IFCHR|0666")
	}
	r.step(stages.RuncInitPivotRoot, r.init, "", func() {
		r.event(stages.EventPivotRoot, r.init, 18, "pivot_root", 0, "new_root", ".", "put_old", ".")
		r.event(stages.EventUmount, r.init, 42, "umount2", 0, "target", ".", "flags", "MNT_DETACH")
	})
	for _, p := range []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"} {
		r.step(stages.RuncInitMaskedPaths, r.init, p, func() {
			r.event(stages.EventMount, r.init, 8, "mount", 0, "target", p, "flags", "MS_BIND|MS_REC")
			r.event(stages.EventMount, r.init, 5, "mount", 0, "target", p, "flags", "MS_BIND|MS_REMOUNT|MS_RDONLY")
		})
	}
	do(stages.RuncInitHostname, "", stages.EventSethostname, 2, "sethostname", "name", id[:12])
	r.step(stages.RuncInitLoopback, r.init, "", nil)
	do(stages.RuncInitRlimits, "RLIMIT_NOFILE", stages.EventPrlimit, 2, "prlimit64", "resource", "RLIMIT_NOFILE", "cur", "1048576", "max", "1048576")
	do(stages.RuncInitSeccomp, "", stages.EventSeccomp, 380, "seccomp", "operation", "SECCOMP_SET_MODE_FILTER", "filters", "1")
	for _, c := range []string{"setgroups", "setresgid", "setresuid"} {
		do(stages.RuncInitUser, c, stages.EventSetuid, 2, c, "id", "0")
	}
	r.step(stages.RuncInitWorkdir, r.init, "", func() { r.attrs("path", "/") })
	r.step(stages.RuncInitProgram, r.init, "/bin/echo", nil)
	do(stages.RuncInitCapabilities, "", stages.EventCapset, 2, "capset", "effective", "0xa80425fb", "permitted", "0xa80425fb")
	r.step(stages.RuncInitWaitStart, r.init, "", func() { r.wait(120) })
}

func (r *run) taskStart() {
	r.step(stages.ShimRuntimeStart, r.shim, "", func() {
		start := r.fork(r.shim, 4755, stages.Runc, 420, "CLONE_VM|CLONE_VFORK|SIGCHLD")
		r.exec(start, "/usr/local/bin/hull-runc", "hull-runc", "--root", "/run/hull/runc", "start", id[:12])
		r.wait(4500)
		i := r.begin(stages.RuncStart, start, "")
		r.event(stages.EventExec, start, 0, "execve", 0, "argv", `["hull-runc" "start"]`)
		r.step(stages.RuncInitExec, r.init, "", func() {
			r.exec(r.init, "/bin/busybox", "echo", "hi")
			r.t.Processes[r.init].Stage = stages.Container.String()
			running := r.begin(stages.ContainerRunning, r.init, "")
			r.t.Spans[running].Evidence = []int{len(r.t.Events) - 1}
			r.open = r.open[:len(r.open)-1]
			defer func() { r.running(running) }()
		})
		r.end(i)
		r.exit(start, 0)
		r.event(stages.EventWait, r.shim, 40, "waitid", 0, "child", "4755", "status", "0")
	})
}

// running is the life of the user's program.
func (r *run) running(span int) {
	r.wait(1400)
	r.resume(span, func() {
		r.step(stages.ContainerExit, r.init, "", func() { r.exit(r.init, 0) })
		r.end(span)
	})
}

// finish is everything after the container's exit.
func (r *run) finish() {
	r.resume(r.adopt, func() {
		r.step(stages.ShimReap, r.shim, "", func() { r.event(stages.EventWait, r.shim, 30, "waitid", 0, "child", "4747", "status", "0") })
		r.step(stages.ShimExitRecord, r.shim, "", func() { r.attrs("status", "0"); r.wait(140) })
		r.step(stages.ShimExitPublish, r.shim, "", func() {
			r.wait(60)
			r.step(stages.ContainerdExitForward, r.ctrd, "", func() { r.wait(50) })
		})
	})
	r.resume(r.waitSpan, func() {
		r.step(stages.DaemonExitObserve, r.hulld, "", func() {
			r.attrs("exit.code", "0")
			r.step(stages.ContainerdTaskDelete, r.ctrd, "", func() { r.step(stages.ShimRuntimeDelete, r.shim, "", r.remove) })
			r.wait(120)
		})
	})
}

// remove is the runtime's last process.
func (r *run) remove() {
	remove := r.fork(r.shim, 4768, stages.Runc, 420, "CLONE_VM|CLONE_VFORK|SIGCHLD")
	r.exec(remove, "/usr/local/bin/hull-runc", "hull-runc", "--root", "/run/hull/runc", "delete", "--force", id[:12])
	r.wait(4300)
	r.step(stages.RuncDelete, remove, "", func() {
		r.event(stages.EventExec, remove, 0, "execve", 0, "argv", fmt.Sprintf("%q", []string{"hull-runc", "delete"}))
		r.wait(700)
	})
	r.exit(remove, 0)
}
