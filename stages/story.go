package stages

// story holds the steps with which a run is told for the first time: what the documented lifecycle names, one or two per stage, and the moments
// at which a process gets another program or another parent. What shows a trace may leave out the others, if it says how many there are.
var story = map[ID]bool{
	ClientCommand: true, ClientCreate: true, ClientStart: true, ClientExit: true,
	DaemonCreate: true, DaemonTaskCreate: true, DaemonTaskStart: true, DaemonExitObserve: true,
	ContainerdSnapshotPrepare: true, ContainerdTaskCreate: true, ContainerdBundle: true, ContainerdShimStart: true,
	BundleCreate:  true,
	ShimSubreaper: true, ShimRootfsMount: true, ShimRuntimeCreate: true, ShimAdopt: true, ShimRuntimeStart: true, ShimReap: true,
	RuncCreate: true, RuncNsCreate: true, RuncInitPivotRoot: true, RuncCreateExit: true, RuncStart: true, RuncInitExec: true, RuncExec: true, RuncKill: true, RuncDelete: true,
	ContainerRunning: true, ContainerExit: true,
}

// Story reports whether the step is one of those with which a run is told for the first time.
func (s Step) Story() bool { return story[s.ID] }
