package shimproc_test

import (
	"os/exec"
	"syscall"
	"testing"

	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// What hull-containerd executes for every container must stay cheap to start. Page faults are the cost that repeats whatever else the
// machine does. Measured: hull-bundle 212, hull-shim (which is executed twice) 215.
func TestStartFaults(t *testing.T) {
	for name, most := range map[string]int64{"hull-bundle": 320, "hull-shim": 320} {
		cmd := exec.Command(probetest.Build(t, name), map[string]string{"hull-bundle": "--help", "hull-shim": "-v"}[name])
		cmd.Run() // help is an error to some programs; the faults are the same
		require.NotNil(t, cmd.ProcessState, name)
		faults := cmd.ProcessState.SysUsage().(*syscall.Rusage).Minflt
		require.NotZero(t, faults, name)
		require.LessOrEqual(t, faults, most, name)
		t.Logf("%s: %d faults", name, faults)
	}
}
