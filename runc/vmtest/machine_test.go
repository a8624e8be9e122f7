package vmtest_test

import (
	"testing"

	"hull/runc/vmtest"
	"hull/stages/probetest"
)

// TestPureV2 is what CI runs of this in every build: the cgroup packages' tests and the tracer's programs, on Linux 6.1 with cgroup v2 alone.
func TestPureV2(t *testing.T) {
	vmtest.Machine{}.Test(t, nil,
		vmtest.Package{Dir: "runc/cgroup"},
		vmtest.Package{Dir: "shim/cgroup"},
		vmtest.Package{Dir: "trace/bpf"},
	)
}

// TestRuntime: the runtime's kernel tests.
func TestRuntime(t *testing.T) {
	probetest.Need(t, "whole-vm")
	vmtest.Machine{Memory: 2048, Modules: []string{"overlay"}}.Test(t, []string{"hull-runc", "hull-runc,weakened"},
		vmtest.Package{Dir: "runc/linux"},
		vmtest.Package{Dir: "runc/seccomp", Run: "Kernel"},
		vmtest.Package{Dir: "runc/command"},
	)
}

// TestTracer: the join, the proofs and the read-backs, on real containers.
func TestTracer(t *testing.T) {
	probetest.Need(t, "whole-vm")
	vmtest.Machine{Memory: 2048}.Test(t, []string{"hull-runc", "hull-trace"}, vmtest.Package{Dir: "trace/collect"})
}
