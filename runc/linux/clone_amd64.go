package linux

// canShare: this architecture has cloneShared.
const canShare = true

// cloneShared is clone3(2) for a child that shares our memory and has a stack of its own (clone_amd64.s).
//
//go:noescape
func cloneShared(args *cloneArgs, size uintptr, c *child) (pid, errno uintptr)

// runShared is where the child begins.
//
//lint:ignore U1000 clone_amd64.s calls it
//go:nosplit
//go:norace
//go:noinline
func runShared(c *child) { run(c) }
