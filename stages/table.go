package stages

// The shorthands of the table below.
func none(reason string) Proof         { return Proof{Kind: ProofNone, Reason: reason} }
func state(s State) Proof              { return Proof{Kind: ProofState, State: s} }
func event(e Event, args ...Arg) Proof { return Proof{Kind: ProofEvent, Event: e, Args: args} }
func (p Proof) in(w Who) Proof         { p.Who = w; return p }

const (
	inMemory    = "it happens in the program's memory; no system call is its own"
	onOpenSocks = "bytes on a connection that is already open; the kernel sees only a write"
)

// table is the catalogue. Rows stand in the order in which a plain run reaches them.
var table = [count]Step{
	ClientCommand: {
		Name: "client.command", Stage: Client, Title: "the user's command starts",
		Why:   "Everything below is the consequence of this one process; its trace id is the run's.",
		Proof: state(StateProcess), Man: []string{"execve(2)"},
	},
	ClientPayload: {
		Name: "client.payload", Parent: ClientCommand, Stage: Client, Title: "flags become an API payload",
		Why:   "The client's whole knowledge ends here: what is not in this JSON document, the daemon never learns.",
		Proof: none("a JSON document in the client's memory has no kernel event"), Man: []string{"Docker Engine API v1.44: POST /containers/create"},
	},
	ClientCreate: {
		Name: "client.create", Parent: ClientCommand, Stage: Client, Title: "POST /containers/create",
		Why:   "The client asks; the daemon makes. The container exists after this, but no process does.",
		Proof: event(EventConnect, Arg{Key: "path", Has: "hull.sock"}), Man: []string{"connect(2)", "unix(7)"},
	},
	ClientAttach: {
		Name: "client.attach", Parent: ClientCommand, Stage: Client, Title: "POST /containers/{id}/attach",
		Why: "The stream is opened before the start, or the first bytes of output could be missed.", Flags: Optional,
		Proof: event(EventConnect, Arg{Key: "path", Has: "hull.sock"}), Man: []string{"connect(2)"},
	},
	ClientWait: {
		Name: "client.wait", Parent: ClientCommand, Stage: Client, Title: "POST /containers/{id}/wait",
		Why: "The wait is registered before the start, or a program that ends at once could never be waited for.", Flags: Late,
		Proof: event(EventConnect, Arg{Key: "path", Has: "hull.sock"}), Man: []string{"connect(2)"},
	},
	ClientStart: {
		Name: "client.start", Parent: ClientCommand, Stage: Client, Title: "POST /containers/{id}/start",
		Why:   "Only now may the user's program run: attach and wait are in place.",
		Proof: none(onOpenSocks),
	},
	ClientExit: {
		Name: "client.exit", Parent: ClientCommand, Stage: Client, Title: "the client leaves with the container's exit code",
		Why:   "The user's shell sees the container's status as if the program had run right there.",
		Proof: event(EventExit), Man: []string{"exit_group(2)"},
	},
	ClientExecCreate: {
		Name: "client.exec.create", Parent: ClientCommand, Stage: Client, Title: "POST /containers/{id}/exec",
		Why: "The daemon notes down what is to run, and gives it an id; nothing runs yet.", Flags: Optional,
		Proof: event(EventConnect, Arg{Key: "path", Has: "hull.sock"}), Man: []string{"connect(2)", "Docker Engine API v1.44: POST /containers/{id}/exec"},
	},
	ClientExecStart: {
		Name: "client.exec.start", Parent: ClientCommand, Stage: Client, Title: "POST /exec/{id}/start",
		Why: "One request both opens the streams and starts the program: nothing that it says can be missed.", Flags: Optional,
		Proof: event(EventConnect, Arg{Key: "path", Has: "hull.sock"}), Man: []string{"connect(2)", "Docker Engine API v1.44: POST /exec/{id}/start"},
	},

	DaemonCreate: {
		Name: "daemon.create", Parent: ClientCreate, Stage: Daemon, Title: "the daemon receives the create request",
		Why:   "The API is the boundary between asking and having the rights to do.",
		Proof: none(onOpenSocks), Man: []string{"Docker Engine API v1.44"},
	},
	DaemonImageResolve: {
		Name: "daemon.image.resolve", Parent: DaemonCreate, Stage: Daemon, Title: "the image's name becomes a manifest and a config",
		Why:   "Names move, digests do not: from here on the run is about one exact content.",
		Proof: none(inMemory), Man: []string{"OCI image-spec: manifest, config"},
	},
	DaemonNetworkAllocate: {
		Name: "daemon.network.allocate", Parent: DaemonCreate, Stage: Daemon, Title: "the network mode is decided, and an address with it",
		Why:   "The spec must know whether the container gets a network namespace of its own.",
		Proof: none("an address is taken in the daemon's memory, and kept in the container's record"),
	},
	DaemonNetworkBridge: {
		Name: "daemon.network.bridge", Parent: DaemonNetworkAllocate, Stage: Daemon, Title: "the instance's bridge is made",
		Why: "A switch in the kernel, with the host's own foot in it: its address is the containers' gateway.", Flags: Optional | Shared,
		Proof: state(StateNetBridge), Man: []string{"rtnetlink(7) RTM_NEWLINK", "ip-link(8) bridge"},
	},
	DaemonNetworkForward: {
		Name: "daemon.network.forward", Parent: DaemonNetworkAllocate, Stage: Daemon, Title: "the host becomes a router",
		Why: "Without it the kernel hands no packet from one interface on to another.", Flags: Optional | Shared,
		Proof: state(StateNetForward), Man: []string{"ip(7) ip_forward", "Linux Documentation/networking/ip-sysctl.rst"},
	},
	DaemonSpec: {
		Name: "daemon.spec", Parent: DaemonCreate, Stage: Daemon, Title: "image config and flags become an OCI runtime spec",
		Why:   "From here on nobody reads docker flags: the spec says all that the runtime will do.",
		Proof: none(inMemory), Man: []string{"OCI runtime-spec: config.md"},
	},
	DaemonContainerCreate: {
		Name: "daemon.container.create", Parent: DaemonCreate, Stage: Daemon, Title: "the container's record is written",
		Why:   "Once the client has the id, the daemon must still know it after a crash.",
		Proof: state(StateContainerRecord), Man: []string{"rename(2)", "fsync(2)"},
	},
	DaemonNetworkPlug: {
		Name: "daemon.network.plug", Parent: ClientStart, Stage: Daemon, Title: "the container's network is made",
		Why:   "Before the runtime, which then only joins the namespace: the user's program can never see a half-made network.",
		Proof: none("the rows below are its proof; with networks none and host there is nothing to plug"),
	},
	DaemonNetworkNamespace: {
		Name: "daemon.network.namespace", Parent: DaemonNetworkPlug, Stage: Daemon, Title: "a network namespace is made",
		Why: "Interfaces, addresses, routes, rules and ports of its own, and at first nothing but a loopback.", Flags: Optional,
		Proof: state(StateNetNamespace), Man: []string{"network_namespaces(7)", "unshare(2) CLONE_NEWNET"},
	},
	DaemonNetworkVeth: {
		Name: "daemon.network.veth", Parent: DaemonNetworkPlug, Stage: Daemon, Title: "a virtual cable joins it to the bridge",
		Why: "Two ends of one link: what goes in at eth0 comes out at the bridge's port.", Flags: Optional,
		Proof: state(StateNetVeth), Man: []string{"veth(4)", "rtnetlink(7) RTM_NEWLINK"},
	},
	DaemonNetworkAddress: {
		Name: "daemon.network.address", Parent: DaemonNetworkPlug, Stage: Daemon, Title: "eth0 gets its address",
		Why: "The container's own on the bridge's subnet; with the address comes the route to its neighbours.", Flags: Optional,
		Proof: state(StateNetAddress), Man: []string{"rtnetlink(7) RTM_NEWADDR"},
	},
	DaemonNetworkRoute: {
		Name: "daemon.network.route", Parent: DaemonNetworkPlug, Stage: Daemon, Title: "the default route leads to the bridge",
		Why: "Everything that is no neighbour is handed to the host, which knows the way.", Flags: Optional,
		Proof: state(StateNetRoute), Man: []string{"rtnetlink(7) RTM_NEWROUTE", "ip-route(8)"},
	},
	DaemonNetworkPort: {
		Name: "daemon.network.port", Parent: DaemonNetworkPlug, Stage: Daemon, Title: "a port of the host is taken",
		Why: "A socket is bound to it and never read: so a port that another program has is noticed, and nobody else can have it.", Flags: Optional | Repeats,
		Proof: state(StateNetPort), Man: []string{"bind(2)", "proc_pid_net(5) tcp, udp"},
	},
	DaemonNetworkRule: {
		Name: "daemon.network.rule", Parent: DaemonNetworkPlug, Stage: Daemon, Title: "a rule is added to the instance's table",
		Why: "The kernel itself rewrites addresses and turns strangers away: no process stands in the way of a packet.", Flags: Optional | Repeats,
		Proof: state(StateNetRule), Man: []string{"nft(8)", "Linux include/uapi/linux/netfilter/nf_tables.h"},
	},
	DaemonTaskCreate: {
		Name: "daemon.task.create", Parent: ClientStart, Stage: Daemon, Title: "the daemon asks containerd for a task",
		Why:   "The daemon never starts a process itself: it asks the supervisor over gRPC.",
		Proof: none(onOpenSocks), Man: []string{"containerd.services.tasks.v1.Tasks/Create"},
	},
	DaemonTaskStart: {
		Name: "daemon.task.start", Parent: ClientStart, Stage: Daemon, Title: "the daemon asks containerd to start the task",
		Why:   "Create and start are two calls, so that the streams can be put in place between them.",
		Proof: none(onOpenSocks), Man: []string{"containerd.services.tasks.v1.Tasks/Start"},
	},
	DaemonExitObserve: {
		Name: "daemon.exit.observe", Parent: ClientWait, Stage: Daemon, Title: "the daemon learns of the exit",
		Why: "It comes as an event from containerd: the daemon is no parent of the container and cannot wait for it.", Flags: Late,
		Proof: state(StateExitObserved), Man: []string{"containerd.services.events.v1.Events/Subscribe"},
	},
	DaemonRestore: {
		Name: "daemon.restore", Stage: Daemon, Title: "a restarted daemon finds its containers again",
		Why: "Containers do not need the daemon; the daemon needs to find them.", Flags: Optional | Repeats,
		Proof: state(StateContainerRecord),
	},
	DaemonExecCreate: {
		Name: "daemon.exec.create", Parent: ClientExecCreate, Stage: Daemon, Title: "the daemon notes down a process to be added",
		Why: "What is wrong with the request is found before a stream is open; the id names it until the container is gone.", Flags: Optional,
		Proof: none(inMemory), Man: []string{"Docker Engine API v1.44: POST /containers/{id}/exec"},
	},
	DaemonExecStart: {
		Name: "daemon.exec.start", Parent: ClientExecStart, Stage: Daemon, Title: "the daemon has the process started",
		Why: "The container's own spec, with another program, user and environment: containerd is asked for a process of its task.", Flags: Optional,
		Proof: none(onOpenSocks), Man: []string{"containerd.services.tasks.v1.Tasks/Exec", "containerd.services.tasks.v1.Tasks/Start"},
	},

	ContainerdSnapshotPrepare: {
		Name: "containerd.snapshot.prepare", Parent: DaemonCreate, Stage: Containerd, Title: "a writable layer is prepared on the image's layers",
		Why:   "The image stays as it is; what the container writes goes to a directory of its own.",
		Proof: state(StateSnapshot), Man: []string{"Linux Documentation/filesystems/overlayfs.rst"},
	},
	ContainerdContainerCreate: {
		Name: "containerd.container.create", Parent: DaemonCreate, Stage: Containerd, Title: "containerd records the container",
		Why:   "A container is metadata to containerd: a spec, a snapshot key, a runtime name. A task makes it run.",
		Proof: none("a record inside containerd's own database"), Man: []string{"containerd.services.containers.v1.Containers/Create"},
	},
	ContainerdTaskCreate: {
		Name: "containerd.task.create", Parent: DaemonTaskCreate, Stage: Containerd, Title: "containerd creates the task",
		Why:   "One gRPC call becomes a bundle, a shim and, through the shim, a container that waits to be started.",
		Proof: none(onOpenSocks), Man: []string{"containerd.task.v2.Task/Create"},
	},
	ContainerdBundle: {
		Name: "containerd.bundle", Parent: ContainerdTaskCreate, Stage: Containerd, Title: "containerd has the OCI bundle made",
		Why: "The runtime reads a directory, not an RPC: the bundle is the border between the two worlds.", Flags: Kernel,
		Proof: event(EventExec, Arg{Key: "exe", Has: "hull-bundle"}).in(Child), Man: []string{"OCI runtime-spec: bundle.md"},
	},
	ContainerdShimStart: {
		Name: "containerd.shim.start", Parent: ContainerdTaskCreate, Stage: Containerd, Title: "containerd starts a shim",
		Why: "The shim comes before runc: somebody has to be there to become the parent when runc leaves.", Flags: Kernel,
		Proof: event(EventExec, Arg{Key: "exe", Has: "shim"}).in(Child), Man: []string{"containerd shim v2: start"},
	},
	ContainerdTaskStart: {
		Name: "containerd.task.start", Parent: DaemonTaskStart, Stage: Containerd, Title: "containerd starts the task",
		Why:   "It only passes the word on to the shim: containerd is no parent of the container either.",
		Proof: none(onOpenSocks), Man: []string{"containerd.task.v2.Task/Start"},
	},
	ContainerdExitForward: {
		Name: "containerd.exit.forward", Parent: ShimExitPublish, Stage: Containerd, Title: "containerd passes the exit event on",
		Why: "Whoever subscribed to events learns of the exit; the daemon is one of them.", Flags: Late,
		Proof: none(onOpenSocks), Man: []string{"containerd.services.events.ttrpc.v1.Events/Forward"},
	},
	ContainerdTaskDelete: {
		Name: "containerd.task.delete", Parent: DaemonExitObserve, Stage: Containerd, Title: "containerd deletes the task",
		Why: "The dead container's shim, bundle and runtime state are still there until somebody has taken the exit code and says so.", Flags: Late,
		Proof: none(onOpenSocks), Man: []string{"containerd.services.tasks.v1.Tasks/Delete"},
	},
	ContainerdRestore: {
		Name: "containerd.restore", Stage: Containerd, Title: "a restarted containerd finds its shims again",
		Why: "The shim's socket is in the bundle: reconnecting is reading a file and dialling.", Flags: Optional | Repeats | Kernel,
		Proof: event(EventConnect),
	},
	ContainerdExecCreate: {
		Name: "containerd.exec.create", Parent: DaemonExecStart, Stage: Containerd, Title: "containerd adds a process to the task",
		Why: "It passes the process on to the container's shim, which keeps it until start.", Flags: Optional | Repeats,
		Proof: none(onOpenSocks), Man: []string{"containerd.task.v2.Task/Exec"},
	},

	BundleCreate: {
		Name: "bundle.create", Parent: ContainerdBundle, Stage: Bundle, Title: "the bundle directory is made",
		Why:   "Everything the runtime needs is below this one directory, for this one container.",
		Proof: state(StateBundle), Man: []string{"mkdirat(2)", "OCI runtime-spec: bundle.md"},
	},
	BundleRootfs: {
		Name: "bundle.rootfs", Parent: BundleCreate, Stage: Bundle, Title: "the mount point of the root file system is made",
		Why:   "It is an empty directory: the shim will mount the layers on it.",
		Proof: state(StateBundleRootfs), Man: []string{"mkdirat(2)"},
	},
	BundleConfig: {
		Name: "bundle.config", Parent: BundleCreate, Stage: Bundle, Title: "config.json is written",
		Why:   "It is the whole order to the runtime; anyone may read it and run it again by hand.",
		Proof: state(StateBundleConfig), Man: []string{"OCI runtime-spec: config.md"},
	},

	ShimStart: {
		Name: "shim.start", Parent: ContainerdShimStart, Stage: Shim, Title: "the shim starts its long-lived self",
		Why:   "The first process only leaves the address of the second one behind, so that the second is nobody's child for long.",
		Proof: event(EventExec, Arg{Key: "exe", Has: "shim"}).in(Child), Man: []string{"containerd shim v2: start"},
	},
	ShimSubreaper: {
		Name: "shim.subreaper", Parent: ShimStart, Stage: Shim, Title: "the shim becomes a child subreaper",
		Why:   "Orphans go to the nearest subreaper: without this the container would fall to pid 1 when runc leaves.",
		Proof: event(EventPrctl, Arg{Key: "option", Is: "PR_SET_CHILD_SUBREAPER"}), Man: []string{"prctl(2) PR_SET_CHILD_SUBREAPER, Linux 3.4"},
	},
	ShimRootfsMount: {
		Name: "shim.rootfs.mount", Parent: ContainerdTaskCreate, Stage: Shim, Title: "the root file system is mounted",
		Why:   "The layers become one tree; the shim will be there to unmount it when the container is gone.",
		Proof: event(EventMount, Arg{Key: "target", Has: "rootfs"}), Man: []string{"mount(2)", "Linux Documentation/filesystems/overlayfs.rst"},
	},
	ShimStdioOpen: {
		Name: "shim.stdio.open", Parent: ContainerdTaskCreate, Stage: Shim, Title: "the container's streams are opened",
		Why:   "The shim holds the ends, so that output goes on when every daemon is dead.",
		Proof: state(StateStdio), Man: []string{"fifo(7)", "pipe(2)"},
	},
	ShimRuntimeCreate: {
		Name: "shim.runtime.create", Parent: ContainerdTaskCreate, Stage: Shim, Title: "the shim runs `runc create`",
		Why: "The runtime is a program, not a library: any OCI runtime fits here.", Flags: Kernel,
		Proof: event(EventExec, Arg{Key: "argv", Has: "create"}).in(Child), Man: []string{"execve(2)", "OCI runtime-spec: runtime.md"},
	},
	ShimAdopt: {
		Name: "shim.adopt", Parent: ShimRuntimeCreate, Stage: Shim, Title: "the container's first process becomes the shim's child",
		Why:   "runc has left; the kernel gives the orphan to the subreaper. Nobody runs code for this: it is an event, not a program.",
		Proof: event(EventReparent).in(Taken), Man: []string{"prctl(2) PR_SET_CHILD_SUBREAPER", "Linux kernel/exit.c forget_original_parent"},
	},
	ShimRuntimeStart: {
		Name: "shim.runtime.start", Parent: ContainerdTaskStart, Stage: Shim, Title: "the shim runs `runc start`",
		Why: "It lets the waiting first process go on to the user's program.", Flags: Kernel,
		Proof: event(EventExec, Arg{Key: "argv", Has: "start"}).in(Child), Man: []string{"execve(2)"},
	},
	ShimReap: {
		Name: "shim.reap", Parent: ShimAdopt, Stage: Shim, Title: "the shim reaps the container",
		Why: "Only the parent gets the exit status; until it asks, the dead process stays a zombie.", Flags: Late | Kernel,
		Proof: event(EventWait), Man: []string{"waitid(2)", "pidfd_open(2)"},
	},
	ShimExitRecord: {
		Name: "shim.exit.record", Parent: ShimAdopt, Stage: Shim, Title: "the exit is written down",
		Why: "Before anybody is told: whoever was dead at that moment can read it later.", Flags: Late,
		Proof: state(StateExitRecord), Man: []string{"rename(2)"},
	},
	ShimExitPublish: {
		Name: "shim.exit.publish", Parent: ShimAdopt, Stage: Shim, Title: "the exit is published",
		Why: "An event to containerd, which passes it on to its subscribers.", Flags: Late,
		Proof: none(onOpenSocks), Man: []string{"containerd.services.events.ttrpc.v1.Events/Forward"},
	},

	ShimRuntimeDelete: {
		Name: "shim.runtime.delete", Parent: ContainerdTaskDelete, Stage: Shim, Title: "the shim runs `runc delete`",
		Why: "The runtime made the cgroups and the state, so it takes them back; the shim then unmounts the root file system and leaves.", Flags: Late | Kernel,
		Proof: event(EventExec, Arg{Key: "argv", Has: "delete"}).in(Child), Man: []string{"execve(2)", "OCI runtime-spec: runtime.md delete"},
	},
	ShimRuntimeExec: {
		Name: "shim.runtime.exec", Parent: ContainerdTaskStart, Stage: Shim, Title: "the shim runs `runc exec`",
		Why: "As for the first process: the runtime makes it and leaves, and the shim becomes the parent.", Flags: Optional | Kernel,
		Proof: event(EventExec, Arg{Key: "argv", Has: "exec"}).in(Child), Man: []string{"execve(2)"},
	},

	RuncCreate: {
		Name: "runc.create", Parent: ShimRuntimeCreate, Stage: Runc, Title: "runc reads the bundle and creates the container",
		Why:   "This short-lived program is the only one that speaks to the kernel about namespaces and cgroups.",
		Proof: event(EventExec, Arg{Key: "argv", Has: "create"}).in(Program), Man: []string{"OCI runtime-spec: runtime.md create"},
	},
	RuncCgroupCreate: {
		Name: "runc.cgroup.create", Parent: RuncCreate, Stage: Runc, Title: "the container's cgroup is made",
		Why:   "The group must exist before the first process, which is to be born in it.",
		Proof: event(EventCgroupMkdir).in(Init), Man: []string{"cgroups(7)", "mkdir(2)"}, Flags: Repeats,
	},
	RuncCgroupLimits: {
		Name: "runc.cgroup.limits", Parent: RuncCreate, Stage: Runc, Title: "the limits are written",
		Why:   "Before anybody joins: a process that joins first could pass the limit before it exists.",
		Proof: state(StateCgroupLimits), Man: []string{"cgroups(7)", "Linux Documentation/admin-guide/cgroup-v2.rst"},
	},
	RuncNsCreate: {
		Name: "runc.ns.create", Parent: RuncCreate, Stage: Runc, Title: "clone: a process in new namespaces",
		Why:   "One system call makes the process and its own view of pids, mounts, network, host name and IPC.",
		Proof: event(EventClone, Arg{Key: "flags", Has: "CLONE_NEW"}).in(Init), Man: []string{"clone(2)", "namespaces(7)"},
	},
	RuncNsUsermap: {
		Name: "runc.ns.usermap", Parent: RuncNsCreate, Stage: Runc, Title: "the user namespace's id maps are written",
		Why: "Until they are, every id in the namespace is the overflow id and the process may do nothing.", Flags: Optional,
		Proof: state(StateUserMap), Man: []string{"user_namespaces(7)"},
	},
	RuncCgroupJoin: {
		Name: "runc.cgroup.join", Parent: RuncNsCreate, Stage: Runc, Title: "the first process joins its cgroups",
		Why:   "It must be in before it runs anything: children inherit the membership.",
		Proof: event(EventCgroupAttach).in(Init), Man: []string{"cgroups(7)"}, Flags: Repeats,
	},
	RuncInitCgroupNamespace: {
		Name: "runc.init.cgroup_namespace", Parent: RuncNsCreate, Stage: Runc, Title: "a cgroup namespace is entered",
		Why:   "Its root is where the process stands now; made earlier it would show the wrong place. On v2 it is among the clone flags.",
		Proof: event(EventUnshare, Arg{Key: "flags", Has: "CLONE_NEWCGROUP"}).in(Init), Man: []string{"cgroup_namespaces(7)"}, Flags: Optional,
	},
	RuncInitSession: {
		Name: "runc.init.session", Parent: RuncNsCreate, Stage: Runc, Title: "a session of its own",
		Why:   "Signals from the caller's terminal must not reach the container; a terminal of its own needs a session leader.",
		Proof: event(EventSetsid).in(Init), Man: []string{"setsid(2)"},
	},
	RuncInitPropagation: {
		Name: "runc.init.propagation", Parent: RuncNsCreate, Stage: Runc, Title: "mount propagation to the host is cut",
		Why:   "A new mount namespace is a copy that still shares events: without this the container's mounts would appear on the host.",
		Proof: event(EventMount, Arg{Key: "target", Is: "/"}).in(Init), Man: []string{"mount_namespaces(7)"},
	},
	RuncInitMounts: {
		Name: "runc.init.mounts", Parent: RuncNsCreate, Stage: Runc, Title: "a file system is mounted in the new root",
		Why: "proc must be mounted inside the new pid namespace to show its processes; the others belong to the container alone.", Flags: Repeats,
		Proof: event(EventMount).in(Init), Man: []string{"mount(2)", "move_mount(2)", "proc(5)"},
	},
	RuncInitDevices: {
		Name: "runc.init.devices", Parent: RuncNsCreate, Stage: Runc, Title: "a device node is made",
		Why: "Programs expect /dev/null and its few companions; the host's other devices are not there.", Flags: Repeats,
		Proof: event(EventMknod).in(Init), Man: []string{"mknod(2)"},
	},
	RuncInitConsole: {
		Name: "runc.init.console", Parent: RuncNsCreate, Stage: Runc, Title: "the terminal is opened and made the controlling one",
		Why: "From the container's own devpts, so that its name is true inside; the master goes to the shim over a socket.", Flags: Optional,
		Proof: state(StateConsole), Man: []string{"pty(7)", "ioctl_tty(2) TIOCSCTTY", "unix(7) SCM_RIGHTS"},
	},
	RuncHook: {
		Name: "runc.hook", Parent: RuncNsCreate, Stage: Runc, Title: "a hook of the bundle runs",
		Why:   "Others may change the container at fixed points of its life: here the namespaces and mounts are made, and the root is still the host's.",
		Flags: Optional | Repeats, Proof: event(EventExec).in(Child), Man: []string{"OCI runtime-spec: config.md POSIX-platform Hooks", "execve(2)"},
	},
	RuncInitPivotRoot: {
		Name: "runc.init.pivot_root", Parent: RuncNsCreate, Stage: Runc, Title: "the root becomes the container's",
		Why:   "After the mounts, before the masks: the old root is then unmounted, so that no path leads back. chroot would leave it reachable.",
		Proof: event(EventPivotRoot).in(Init), Man: []string{"pivot_root(2)"},
	},
	RuncInitMaskedPaths: {
		Name: "runc.init.masked_paths", Parent: RuncNsCreate, Stage: Runc, Title: "a path is masked or made read-only",
		Why: "Parts of /proc and /sys are the host's: a container's root must neither read nor write them.", Flags: Repeats,
		Proof: event(EventMount).in(Init), Man: []string{"mount(2)", "OCI runtime-spec: maskedPaths, readonlyPaths"},
	},
	RuncInitHostname: {
		Name: "runc.init.hostname", Parent: RuncNsCreate, Stage: Runc, Title: "the host name is set",
		Why:   "It is inside the new UTS namespace, while the process still has the right to.",
		Proof: event(EventSethostname).in(Init), Man: []string{"sethostname(2)", "uts_namespaces(7)"},
	},
	RuncInitLoopback: {
		Name: "runc.init.loopback", Parent: RuncNsCreate, Stage: Runc, Title: "the loopback interface is set up",
		Why:   "A new network namespace has one, and it is down: without this not even 127.0.0.1 answers.",
		Proof: none("an ioctl on a socket; hull-trace follows no ioctl"), Man: []string{"netdevice(7) SIOCSIFFLAGS", "network_namespaces(7)"}, Flags: Optional,
	},
	RuncInitSysctl: {
		Name: "runc.init.sysctl", Parent: RuncNsCreate, Stage: Runc, Title: "a kernel parameter of the namespace is set",
		Why: "Only namespaced parameters: any other would change the host.", Flags: Optional | Repeats,
		Proof: state(StateSysctl), Man: []string{"proc(5) /proc/sys"},
	},
	RuncInitRlimits: {
		Name: "runc.init.rlimits", Parent: RuncNsCreate, Stage: Runc, Title: "a resource limit is set",
		Why: "While the process still has the right to raise hard limits.", Flags: Optional | Repeats,
		Proof: event(EventPrlimit).in(Init), Man: []string{"prlimit(2)"},
	},
	RuncInitUser: {
		Name: "runc.init.user", Parent: RuncNsCreate, Stage: Runc, Title: "groups, gid and uid are set",
		Why:   "Groups first, then gid, then uid: after the uid the right to set the others is gone.",
		Proof: event(EventSetuid).in(Init), Man: []string{"setgroups(2)", "setresgid(2)", "setresuid(2)"}, Flags: Repeats,
	},
	RuncInitWorkdir: {
		Name: "runc.init.workdir", Parent: RuncNsCreate, Stage: Runc, Title: "the working directory is entered",
		Why:   "Beneath the new root and by descriptor, so that no path in the image leads out of it; as the user, whose directory it may be.",
		Proof: none("hull-trace follows no fchdir"), Man: []string{"openat2(2)", "fchdir(2)"},
	},
	RuncInitProgram: {
		Name: "runc.init.program", Parent: RuncNsCreate, Stage: Runc, Title: "the user's program is looked for",
		Why:   "Each directory of PATH is tried now, so that a missing program fails create (exit code 127, 126 if it cannot be executed) and not start.",
		Proof: none("hull-trace follows no faccessat2"), Man: []string{"faccessat2(2), Linux 5.8", "environ(7) PATH"},
	},
	RuncInitSeccomp: {
		Name: "runc.init.seccomp", Parent: RuncNsCreate, Stage: Runc, Title: "the system call filter is loaded",
		Why:   "As late as it can be, because it would forbid the set-up itself. Without no_new_privs it needs CAP_SYS_ADMIN and so comes before the capabilities drop.",
		Proof: event(EventSeccomp).in(Init), Man: []string{"seccomp(2)", "Linux Documentation/userspace-api/seccomp_filter.rst"}, Flags: Optional,
	},
	RuncInitCapabilities: {
		Name: "runc.init.capabilities", Parent: RuncNsCreate, Stage: Runc, Title: "capabilities are dropped",
		Why:   "Late, because all steps before needed them; a root without them is no root of the host.",
		Proof: event(EventCapset).in(Init), Man: []string{"capabilities(7)", "capset(2)"},
	},
	RuncInitNoNewPrivs: {
		Name: "runc.init.no_new_privs", Parent: RuncNsCreate, Stage: Runc, Title: "no execve may gain privileges any more",
		Why: "set-user-ID programs in the image lose their effect; also lets an unprivileged process load a filter.", Flags: Optional,
		Proof: event(EventPrctl, Arg{Key: "option", Is: "PR_SET_NO_NEW_PRIVS"}).in(Init), Man: []string{"prctl(2) PR_SET_NO_NEW_PRIVS, Linux 3.5"},
	},
	RuncInitWaitStart: {
		Name: "runc.init.wait_start", Parent: RuncNsCreate, Stage: Runc, Title: "the first process waits for start",
		Why:   "It blocks opening a FIFO: all is made, nothing of the user's has run, and runc may leave.",
		Proof: state(StateInitWaiting), Man: []string{"fifo(7)", "open(2)"},
	},
	RuncStateSave: {
		Name: "runc.state.save", Parent: RuncCreate, Stage: Runc, Title: "the runtime's state is saved",
		Why:   "runc keeps no process: what start, kill and delete need to know is in this file.",
		Proof: state(StateRuntimeState), Man: []string{"OCI runtime-spec: runtime.md state"},
	},
	RuncCreateExit: {
		Name: "runc.create.exit", Parent: RuncCreate, Stage: Runc, Title: "runc exits",
		Why:   "Its child is an orphan now, and goes to the shim.",
		Proof: event(EventExit), Man: []string{"exit_group(2)"},
	},
	RuncStart: {
		Name: "runc.start", Parent: ShimRuntimeStart, Stage: Runc, Title: "`runc start` opens the other end",
		Why:   "A second short-lived process: start needs no parenthood, only the FIFO.",
		Proof: event(EventExec, Arg{Key: "argv", Has: "start"}).in(Program), Man: []string{"fifo(7)"},
	},
	RuncInitExec: {
		Name: "runc.init.exec", Parent: RuncStart, Stage: Runc, Title: "execve of the user's program",
		Why:   "The same process, another program: pid, namespaces, cgroup, limits and filter stay.",
		Proof: event(EventExec).in(Payload), Man: []string{"execve(2)"},
	},
	RuncExec: {
		Name: "runc.exec", Parent: ShimRuntimeExec, Stage: Runc, Title: "another process joins the container",
		Why: "The container is there: nothing is made, everything is joined, and then taken away as from the first process.", Flags: Optional,
		Proof: event(EventExec, Arg{Key: "argv", Has: "exec"}).in(Program), Man: []string{"OCI runtime-spec: runtime.md", "pidfd_open(2)"},
	},
	RuncExecJoin: {
		Name: "runc.exec.join", Parent: RuncExec, Stage: Runc, Title: "setns: all namespaces of the container at once",
		Why: "One call on the first process's pidfd: all of them or none, and never those of another process with the same number.", Flags: Optional,
		Proof: event(EventSetns).in(Init), Man: []string{"setns(2), Linux 5.8", "pidfd_open(2)", "namespaces(7)"},
	},
	RuncExecClone: {
		Name: "runc.exec.clone", Parent: RuncExec, Stage: Runc, Title: "a process is born in the container's pid namespace",
		Why: "A pid namespace is entered by being born in it. Last before execve: what the container can see of it has no more rights than the container.", Flags: Optional,
		Proof: event(EventClone), Man: []string{"clone(2) CLONE_PARENT", "pid_namespaces(7)"},
	},
	RuncKill: {
		Name: "runc.kill", Stage: Runc, Title: "a signal is sent to the container",
		Why: "The runtime knows the pid, and checks that it is still the same process.", Flags: Optional | Repeats,
		Proof: event(EventExec, Arg{Key: "argv", Has: "kill"}).in(Program), Man: []string{"pidfd_send_signal(2)"},
	},
	RuncDelete: {
		Name: "runc.delete", Parent: ShimRuntimeDelete, Stage: Runc, Title: "`runc delete` removes what is left",
		Why: "The process is gone; its cgroup and the runtime's state are not.", Flags: Late,
		Proof: event(EventExec, Arg{Key: "argv", Has: "delete"}).in(Program), Man: []string{"rmdir(2)", "OCI runtime-spec: runtime.md delete"},
	},

	ContainerRunning: {
		Name: "container.running", Parent: RuncInitExec, Stage: Container, Title: "the user's program runs",
		Why: "An ordinary process of this kernel: all that is special was done before its first instruction.", Flags: Late,
		Proof: event(EventExec).in(Payload), Man: []string{"execve(2)"},
	},
	ContainerExit: {
		Name: "container.exit", Parent: ContainerRunning, Stage: Container, Title: "the user's program ends",
		Why: "As pid 1 of its namespace it takes all other processes in it along.", Flags: Late,
		Proof: event(EventExit), Man: []string{"exit_group(2)", "pid_namespaces(7)"},
	},
}
