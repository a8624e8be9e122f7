package cgroup

import (
	"testing"

	"hull/runc/vmtest"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// The same tests on a machine that has cgroup v2 only.
func TestOnPureV2(t *testing.T) {
	probetest.Need(t, "qemu", "vm")
	out, code := vmtest.Run(t, map[string]string{"/vm/cgroup.test": vmtest.TestBinary(t, "shim/cgroup")}, `
/vm/cgroup.test -test.v -test.skip TestOnPureV2
`)
	t.Log(out)
	require.Zero(t, code)
	require.Contains(t, out, "--- PASS: TestMemoryRunsOut")
	require.Contains(t, out, "--- PASS: TestThisProcess")
}
