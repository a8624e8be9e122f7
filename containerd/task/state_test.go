package task

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// follow applies changes and returns the state at the end; a refused change fails the test.
func follow(t *testing.T, from State, changes ...Change) State {
	t.Helper()
	for _, c := range changes {
		to, err := from.next(c)
		require.NoError(t, err)
		from = to
	}
	return from
}

func TestLives(t *testing.T) {
	require.Equal(t, Absent, follow(t, Absent, Begin, Made, Start, End, Cleared))
	require.Equal(t, Absent, follow(t, Absent, Begin, Failed))
	require.Equal(t, Absent, follow(t, Absent, Begin, Made, Cleared), "never started")
	require.Equal(t, Stopped, follow(t, Absent, Begin, Made, Start, Pause, End), "killed while paused")
	require.Equal(t, Stopped, follow(t, Absent, Begin, End, Made, Start), "over before our shim's answers were here")
}

func TestRefused(t *testing.T) {
	for state, change := range map[State]Change{Running: Cleared, Paused: Cleared, Stopped: Pause, Created: Begin, Absent: Start} {
		_, err := state.next(change)
		require.ErrorContains(t, err, state.String())
	}
}

func TestExitOnce(t *testing.T) {
	k := &Task{name: name{"n", "id"}, init: newProcess(Running), execs: map[string]*process{}}
	at := time.Unix(1, 0)
	require.True(t, k.tell("", 7, at))
	require.False(t, k.tell("", 137, time.Unix(2, 0)), "the second report is none")
	require.Equal(t, uint32(7), k.init.status)
	require.Equal(t, at, k.init.exitedAt)
	<-k.init.exited
	require.True(t, k.tell("an exec of somebody else", 0, at))
}
