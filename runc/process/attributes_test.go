package process

import (
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The numbers of the specification's names, as sched(7) and include/uapi/linux/sched.h have them. (SCHED_IDLE is not run by a test that
// waits: on a busy machine its turn may never come.)
func TestPolicies(t *testing.T) {
	for name, want := range map[specs.LinuxSchedulerPolicy]uint32{"SCHED_OTHER": 0, "SCHED_BATCH": 3, "SCHED_IDLE": 5} {
		attr, err := schedulerOf(&specs.Scheduler{Policy: name})
		require.NoError(t, err)
		require.Equal(t, unix.SchedAttr{Policy: want}, *attr)
	}
	attr, err := schedulerOf(&specs.Scheduler{Policy: "SCHED_OTHER", Nice: 1, Flags: []specs.LinuxSchedulerFlag{
		"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MAX",
	}})
	require.NoError(t, err)
	require.Equal(t, unix.SchedAttr{Nice: 1, Flags: 0x51}, *attr)
}

// FuzzBits holds our reading of a list of numbers against a slow one.
func FuzzBits(f *testing.F) {
	for _, seed := range []string{"", "0", "0-3,7", " 1 , 2-2,", "1023", "1024", "3-1", "-1", "0-", "a", "1,1,0-63,64-127"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		words, err := bits(list)
		if err != nil {
			require.Nil(t, words)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		want := map[int]bool{}
		for part := range strings.SplitSeq(list, ",") {
			ends := strings.Split(strings.TrimSpace(part), "-")
			low, err := strconv.Atoi(ends[0])
			if err != nil {
				require.Empty(t, ends[0])
				continue
			}
			high, err := strconv.Atoi(ends[len(ends)-1])
			require.NoError(t, err)
			for n := low; n <= high; n++ {
				want[n] = true
			}
		}
		have := map[int]bool{}
		for i := range 64 * len(words) {
			if words[i/64]>>(i%64)&1 == 1 {
				have[i] = true
			}
		}
		require.Equal(t, want, have)
	})
}
