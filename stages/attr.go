package stages

// Attribute keys. Log lines, spans and exports share them.
const (
	AttrStep      = "hull.step"     // the step's dotted name
	AttrInstance  = "hull.instance" // which one of a repeated step: a mount's target, a device, a path
	AttrProof     = "hull.proof"    // proved | unproved | none
	AttrClaim     = "hull.claim"    // span | kernel: who says so
	AttrLost      = "hull.events.lost"
	AttrGuess     = "hull.guess"     // the event was joined by time alone
	AttrContainer = "hull.container" // the container's id
	AttrPID       = "process.pid"    // in the initial pid namespace
	AttrStart     = "process.start"  // field 22 of /proc/PID/stat, in clock ticks since boot; with the pid it names a process for good
	AttrTID       = "thread.id"
)
