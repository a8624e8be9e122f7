package stages

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTable holds what everybody who reads the catalogue relies on.
func TestTable(t *testing.T) {
	seen := map[string]ID{}
	for i, s := range All() {
		require.Equal(t, ID(i+1), s.ID, "order")
		require.NotEmpty(t, s.Name, "step %d has no row", s.ID)
		require.Zero(t, seen[s.Name], "%s stands twice", s.Name)
		seen[s.Name] = s.ID

		first, _, dotted := strings.Cut(s.Name, ".")
		require.True(t, dotted, "%s: a step's name is dotted", s.Name)
		require.Equal(t, s.Stage.String(), first, "%s: the first part is the stage", s.Name)
		require.NotEmpty(t, s.Title, s.Name)
		require.True(t, strings.HasSuffix(s.Why, "."), "%s: Why is a sentence", s.Name)
		require.LessOrEqual(t, len(s.Stage.Binary()), 15, "TASK_COMM_LEN")
		if s.Parent != None {
			require.NotEmpty(t, s.Parent.Step().Name, "%s: no such parent", s.Name)
		}
		got, ok := Lookup(s.Name)
		require.True(t, ok && got == s.ID, s.Name)
	}
	require.Equal(t, int(count)-1, len(seen))
}

// TestParents walks from every step to a root: a step of a plain run ends at the client's command; the others are roots of their own and say
// so by being optional, late, or the run's end.
func TestParents(t *testing.T) {
	for _, s := range All() {
		at, steps := s, 0
		for ; at.Parent != None; at = at.Parent.Step() {
			steps++
			require.Less(t, steps, int(count), "%s: its parents go round in a circle", s.Name)
		}
		if at.ID != ClientCommand {
			require.True(t, at.Has(Optional) || at.Has(Late), "%s: its root is %s", s.Name, at.Name)
		}
	}
}

func TestProofRules(t *testing.T) {
	hard := 0
	for i, s := range All() {
		switch p := s.Proof; p.Kind {
		case ProofNone:
			require.NotEmpty(t, p.Reason, "%s: why can there be no evidence?", s.Name)
		case ProofEvent:
			require.NotEqual(t, EventNone, p.Event, s.Name)
			for _, a := range p.Args {
				require.True(t, a.Key != "" && (a.Is == "") != (a.Has == ""), "%s: %+v", s.Name, a)
			}
		case ProofState:
			require.NotEmpty(t, p.State, s.Name)
		}
		if i < 60 && s.Proof.Kind != ProofNone {
			hard++
		}
	}
	require.GreaterOrEqual(t, hard, 40, "of the first 60 steps, so many are held against the kernel or a state")
}

func TestEventNames(t *testing.T) {
	for e := EventNone + 1; e < eventCount; e++ {
		got, ok := LookupEvent(e.String())
		require.True(t, ok && got == e, "event %d", e)
	}
	_, ok := LookupEvent("none")
	require.False(t, ok)
	require.Equal(t, "none", eventCount.String())
}

func TestKinds(t *testing.T) {
	for k := Internal; k < kindCount; k++ {
		require.NotEmpty(t, k.String(), "kind %d has no row", k)
		require.GreaterOrEqual(t, k.HTTP(), 400, k.String())
		require.NotZero(t, k.GRPC(), k.String())
		require.NotZero(t, k.Exit(), k.String())
	}
	err := &Error{Step: RuncCreate, Kind: NotFound, Thing: "/x", Err: errTest{}, Hint: "look elsewhere"}
	require.Equal(t, "runc.create: /x: gone (look elsewhere)", err.Error())
	err.Thing = "/x\ny"
	require.Equal(t, `runc.create: "/x\ny": gone (look elsewhere)`, err.Error())
	require.Equal(t, NotFound, KindOf(err))
}

type errTest struct{}

func (errTest) Error() string { return "gone" }
