//go:build !amd64

package linux

// canShare: elsewhere the child gets a copy of our memory.
const canShare = false

func cloneShared(*cloneArgs, uintptr, *child) (pid, errno uintptr) { panic("not on this architecture") }
