package stages

// A Stage is one of the seven actors of a run, in the order in which the request reaches them.
type Stage uint8

const (
	Client Stage = iota + 1
	Daemon
	Containerd
	Bundle
	Shim
	Runc
	Container
)

var stageNames = [...]struct{ name, binary string }{
	Client:     {"client", "hull"},
	Daemon:     {"daemon", "hulld"},
	Containerd: {"containerd", "hull-containerd"},
	Bundle:     {"bundle", "hull-bundle"},
	Shim:       {"shim", "hull-shim"},
	Runc:       {"runc", "hull-runc"},
	Container:  {"container", ""},
}

// String is the stage's name, the first part of its steps' names.
func (s Stage) String() string {
	if int(s) >= len(stageNames) || s == 0 {
		return "unknown"
	}
	return stageNames[s].name
}

// Binary is the executable that does the stage's work, at most 15 characters long because the kernel cuts task names there
// (TASK_COMM_LEN, include/linux/sched.h). The container's own program has none.
func (s Stage) Binary() string {
	if int(s) >= len(stageNames) {
		return ""
	}
	return stageNames[s].binary
}

// Stages lists the seven actors in order.
func Stages() []Stage { return []Stage{Client, Daemon, Containerd, Bundle, Shim, Runc, Container} }

// A Step is one row of the catalogue.
type Step struct {
	ID     ID
	Name   string // dotted; its first part is the stage
	Parent ID     // the step it happens inside of in a plain run; None for the root
	Stage  Stage
	Title  string // one line: what happens
	Why    string // one sentence: why here, and what would be missing without it
	Proof  Proof
	Man    []string // manual pages and specifications, such as "pivot_root(2)"
	Flags  Flag
	Lab    string // slug of the lab that builds this step; empty until the labs exist
}

// A Flag says how a step differs from "happens exactly once, in order, in every plain run".
type Flag uint8

const (
	Repeats  Flag = 1 << iota // happens several times; hull.instance tells them apart
	Optional                  // only in some runs (a terminal, a user namespace, a restart)
	Late                      // may end after the client has left
	Kernel                    // kernel work inside a long-lived process: the thread is locked and marked while traced
	Shared                    // done once for all containers, under a lock that they share: no gate can be there
)

// Has reports whether all of f's flags are set on the step.
func (s Step) Has(f Flag) bool { return s.Flags&f == f }

// A ProofKind says what kind of evidence a step's claim is held against.
type ProofKind uint8

const (
	ProofNone  ProofKind = iota // no evidence is possible; Proof.Reason says why
	ProofEvent                  // a kernel event that must exist
	ProofState                  // a state that hull-trace reads back itself, from /proc, cgroupfs or the disk
)

// A Proof is the rule by which hull-trace decides whether a step really happened. hull-trace finds the process and the span of time
// from the claim, and everything else from the kernel; it never takes the claim's word.
type Proof struct {
	Kind   ProofKind
	Event  Event  // for ProofEvent: which kernel event
	Who    Who    // for ProofEvent: in which process, seen from the claim's
	Args   []Arg  // for ProofEvent: what its arguments must hold; all of them
	State  State  // for ProofState: what is read back
	Reason string // for ProofNone: why there can be no evidence
}

// A Who says in which process a kernel event counts as evidence, seen from the process that makes the claim.
type Who uint8

const (
	Self    Who = iota // in the claim's process itself
	Program            // the exec that made the claim's process what it is: it comes before anything that it can claim
	Child              // in a process that it started, directly or not
	Init               // in the claim's process or one that it started: the runtime may speak for the container's first process
	Payload            // the exec by which the claim's process became the container's program
	Taken              // in a process that the kernel gave to the claim's
)

// An Arg is a condition on one named argument of a kernel event. With Is set the argument must equal it; with Has set it must contain it.
type Arg struct{ Key, Is, Has string }

// A State names something hull-trace can read back without asking the claimant.
type State string

const (
	StateProcess         State = "process"          // /proc/PID exists and its executable is the stage's binary
	StateContainerRecord State = "container.record" // the daemon's record of the container is on disk
	StateExitObserved    State = "exit.observed"    // the daemon's record says exited, with the kernel's exit code; a removed record counts
	StateSnapshot        State = "snapshot"         // the snapshot's upper directory exists, or is the overlay's upperdir in mountinfo
	StateBundle          State = "bundle"           // the bundle directory named on runc's command line exists
	StateBundleRootfs    State = "bundle.rootfs"    // its rootfs directory exists
	StateBundleConfig    State = "bundle.config"    // its config.json parses and names this container's program
	StateStdio           State = "stdio"            // the shim holds the FIFOs or the log open (/proc/PID/fd)
	StateExitRecord      State = "exit.record"      // the shim's exit record is on disk and holds the kernel's exit code
	StateCgroupLimits    State = "cgroup.limits"    // the container's cgroup holds the limits that config.json asks for
	StateUserMap         State = "user.map"         // /proc/PID/uid_map is not the initial one
	StateSysctl          State = "sysctl"           // the value is read back inside the container's namespaces
	StateConsole         State = "console"          // /proc/PID/stat names a controlling terminal
	StateInitWaiting     State = "init.waiting"     // the container's first process is alive and has not executed the user's program
	StateRuntimeState    State = "runtime.state"    // the runtime's state file is on disk and names the init's pid
	StateNetBridge       State = "net.bridge"       // the bridge is up and has the address that is the container's gateway
	StateNetForward      State = "net.forward"      // /proc/sys/net/ipv4/ip_forward is 1
	StateNetNamespace    State = "net.namespace"    // config.json names a network namespace other than the host's, with a loopback that is up
	StateNetVeth         State = "net.veth"         // eth0 in it is a veth whose other end is up and in the bridge
	StateNetAddress      State = "net.address"      // eth0 has an address in the bridge's subnet
	StateNetRoute        State = "net.route"        // its default route leads to the bridge's address
	StateNetPort         State = "net.port"         // a socket of the host is bound to the port (/proc/net/tcp, udp)
	StateNetRule         State = "net.rule"         // the instance's table of rules holds it (nf_tables, read by netlink)
)
