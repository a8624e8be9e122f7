package stages

// An ID names one step of the catalogue. It is an integer, so that a string literal where an ID is wanted does not compile; only the
// dotted name ([ID.String]) is ever written to a wire or a disk, never the number.
type ID uint16

// The steps, in the order in which a plain run reaches them. None is the zero value: no step.
const (
	None ID = iota

	ClientCommand
	ClientPayload
	ClientCreate
	ClientAttach
	ClientWait
	ClientStart
	ClientExit
	ClientExecCreate
	ClientExecStart

	DaemonCreate
	DaemonImageResolve
	DaemonNetworkAllocate
	DaemonNetworkBridge
	DaemonNetworkForward
	DaemonSpec
	DaemonContainerCreate
	DaemonNetworkPlug
	DaemonNetworkNamespace
	DaemonNetworkVeth
	DaemonNetworkAddress
	DaemonNetworkRoute
	DaemonNetworkPort
	DaemonNetworkRule
	DaemonTaskCreate
	DaemonTaskStart
	DaemonExitObserve
	DaemonRestore
	DaemonExecCreate
	DaemonExecStart

	ContainerdSnapshotPrepare
	ContainerdContainerCreate
	ContainerdTaskCreate
	ContainerdBundle
	ContainerdShimStart
	ContainerdTaskStart
	ContainerdExitForward
	ContainerdTaskDelete
	ContainerdRestore
	ContainerdExecCreate

	BundleCreate
	BundleRootfs
	BundleConfig

	ShimStart
	ShimSubreaper
	ShimRootfsMount
	ShimStdioOpen
	ShimRuntimeCreate
	ShimAdopt
	ShimRuntimeStart
	ShimReap
	ShimExitRecord
	ShimExitPublish
	ShimRuntimeDelete
	ShimRuntimeExec

	RuncCreate
	RuncCgroupCreate
	RuncCgroupLimits
	RuncNsCreate
	RuncNsUsermap
	RuncCgroupJoin
	RuncInitCgroupNamespace
	RuncInitSession
	RuncInitPropagation
	RuncInitMounts
	RuncInitDevices
	RuncInitConsole
	RuncHook
	RuncInitPivotRoot
	RuncInitMaskedPaths
	RuncInitHostname
	RuncInitLoopback
	RuncInitSysctl
	RuncInitRlimits
	RuncInitUser
	RuncInitWorkdir
	RuncInitProgram
	RuncInitSeccomp
	RuncInitCapabilities
	RuncInitNoNewPrivs
	RuncInitWaitStart
	RuncStateSave
	RuncCreateExit
	RuncStart
	RuncInitExec
	RuncExec
	RuncExecJoin
	RuncExecClone
	RuncKill
	RuncDelete

	ContainerRunning
	ContainerExit

	count // one past the last step
)

// String is the dotted name, or "none".
func (id ID) String() string {
	if id == None || id >= count {
		return "none"
	}
	return table[id].Name
}

// Step is the row of the catalogue. The zero Step stands for an ID that is not in the table.
func (id ID) Step() Step {
	if id == None || id >= count {
		return Step{}
	}
	s := table[id]
	s.ID = id // the index is the ID; the rows do not repeat it
	return s
}

// Lookup finds a step by its dotted name. Names the catalogue does not know (a student's program, a foreign one) give None, false:
// they are kept and shown under their own name.
func Lookup(name string) (ID, bool) {
	for id := None + 1; id < count; id++ {
		if table[id].Name == name {
			return id, true
		}
	}
	return None, false
}

// All is the catalogue in order.
func All() []Step {
	all := make([]Step, 0, count-1)
	for id := None + 1; id < count; id++ {
		all = append(all, id.Step())
	}
	return all
}
