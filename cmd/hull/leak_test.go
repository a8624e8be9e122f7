package main_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// descriptors counts what each long-lived binary has open.
func (e *engine) descriptors() map[string]int {
	e.t.Helper()
	counts := map[string]int{}
	for _, b := range []string{"hulld", "hull-containerd", "hull-trace"} {
		fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", e.pid(b)))
		require.NoError(e.t, err)
		counts[b] = len(fds)
	}
	return counts
}

// settled waits until the daemons have closed what the last requests had open: a connection ends a moment after its answer.
func (e *engine) settled(before map[string]int) {
	e.t.Helper()
	e.until(fmt.Sprintf("no more descriptors than %v; now %v", before, e.descriptors()), func() bool {
		for b, n := range e.descriptors() {
			if n > before[b] {
				return false
			}
		}
		return true
	})
}

// TestNothingIsLeft runs one container after the other and several at once; the daemons, the kernel and the disk are as before.
func TestNothingIsLeft(t *testing.T) {
	e := up(t)
	quiet := func() { e.ok("run", "--rm", "--network", "none", "busybox", "true") }
	quiet() // what is opened once and kept is open now
	fds, snapshots := e.descriptors(), e.snapshots()
	for range 30 {
		quiet()
	}
	for range 10 {
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				c := e.cmd("run", "--rm", "--network", "none", "busybox", "sh", "-c", fmt.Sprintf("echo %d; exit %d", i, i+3))
				out, _ := c.Output()
				if string(out) != fmt.Sprintln(i) || c.ProcessState.ExitCode() != i+3 {
					t.Errorf("run %d of two at once: %q, exit %d", i, out, c.ProcessState.ExitCode())
				}
			})
		}
		wg.Wait()
	}
	require.Empty(t, strings.TrimSpace(e.ok("ps", "-aq")))
	require.Equal(t, snapshots, e.snapshots())
	require.Empty(t, e.dirs())
	e.settled(fds)
	for _, g := range e.cgroups() {
		require.True(t, strings.HasSuffix(g, e.inst.CgroupParent()), g)
	}
}
