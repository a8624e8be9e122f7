package vmtest_test

import (
	"strings"
	"testing"

	"hull/runc/vmtest"
	"hull/stages/probetest"
)

// network is what a kernel needs for hull's bridge network and published ports. Another machine's modprobe would load it on demand.
var network = []string{"overlay", "loop", "veth", "bridge", "nf_tables", "nft_chain_nat", "nft_masq", "nft_nat", "nft_redir", "nft_ct", "nft_fib_ipv4", "nft_reject_ipv4"}

// engine is what a whole run needs.
var engine = []string{"hull", "hulld", "hull-containerd", "hull-bundle", "hull-shim", "hull-runc", "hull-trace", "hull-init"}

// TestPureV2 is what CI runs of this in every build, on Linux 6.1 with cgroup v2 alone: the cgroup packages' tests.
func TestPureV2(t *testing.T) {
	vmtest.Machine{Memory: 2048, Modules: []string{"overlay", "loop"}}.Test(t, nil,
		vmtest.Package{Dir: "runc/cgroup"},
		vmtest.Package{Dir: "shim/cgroup"},
	)
}

// TestTracedRun: the tracer's programs, and one whole traced run. It is not part of every build: on an interpreted machine the guest's kernel 6.1
// has been seen to lock up with both CPUs in hull-trace, one time in five.
func TestTracedRun(t *testing.T) {
	probetest.Need(t, "whole-vm")
	vmtest.Machine{Memory: 2048, Modules: network}.Test(t, engine,
		vmtest.Package{Dir: "trace/bpf"},
		vmtest.Package{Dir: "cmd/hull", Run: "^TestRunOnThisKernel$"},
	)
}

// TestRuntime: the runtime's kernel tests.
func TestRuntime(t *testing.T) {
	probetest.Need(t, "whole-vm")
	vmtest.Machine{Memory: 2048, Modules: []string{"overlay", "loop"}}.Test(t, []string{"hull-runc"},
		vmtest.Package{Dir: "runc/linux"},
		vmtest.Package{Dir: "runc/seccomp", Run: "Kernel"},
		vmtest.Package{Dir: "runc/command", Skip: "TestAttack0[13]"}, // races of many rounds
	)
}

// TestTracer: the join, the proofs and the read-backs, on real containers.
func TestTracer(t *testing.T) {
	probetest.Need(t, "whole-vm")
	vmtest.Machine{Memory: 2048}.Test(t, []string{"hull-runc", "hull-trace"}, vmtest.Package{Dir: "trace/collect"})
}

// TestEngine: the whole chain, from the client to the kernel, with its networks, limits, deaths and leftovers.
func TestEngine(t *testing.T) {
	probetest.Need(t, "whole-vm")
	vmtest.Machine{Memory: 3072, Modules: network}.Test(t, engine, vmtest.Package{
		Dir: "cmd/hull",
		Run: "^(" + strings.Join([]string{
			"TestRunOnThisKernel", "TestManyLayers", "TestEveryStepHappens", "TestTraceWithoutTheKernel", "TestTraceOfOneExec", "TestTraceOfFailedRuns",
			"TestLimitsSeenFromOutside", "TestNamespacesSeenFromOutside", "TestFlagsSeenFromOutside", "TestJoinedNamespaces", "TestInit",
			"TestDoctor", "TestNetwork", "TestTraceOfANetwork", "TestEverythingAboveTheShimMayDie", "TestAttachAfterRestart", "TestNothingIsLeft",
		}, "|") + ")$",
		Skip: "TestNetwork/(port_forms|conflicts|docker)", // these want the docker client
	})
}
