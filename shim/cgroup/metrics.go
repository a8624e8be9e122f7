package cgroup

import (
	"os"

	"hull/shim/wire"
)

// Metrics is what the group uses, in the message that containerd's clients expect on this machine: that of cgroup v1 where a controller
// is v1's, that of v2 where there is nothing else. It is nil for a group that is gone.
func (g Group) Metrics() wire.Typed {
	if len(g.v1) > 0 {
		if !g.anyV1() {
			return nil
		}
		return g.metrics1()
	}
	if !exists(g.v2, "cgroup.procs") {
		return nil
	}
	return metrics2(g.v2)
}

func (g Group) anyV1() bool {
	for _, dir := range g.v1 {
		if _, err := os.Stat(dir); err == nil {
			return true
		}
	}
	return false
}
