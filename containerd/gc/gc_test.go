package gc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReferences(t *testing.T) {
	require.ElementsMatch(t, []Node{{Content, "a"}, {Content, "b"}, {Snapshot, "s"}, {Image, "i"}}, References(map[string]string{
		"containerd.io/gc.ref.content": "a", "containerd.io/gc.ref.content.l.0": "b", "containerd.io/gc.ref.snapshot.overlayfs": "s",
		"containerd.io/gc.ref.image.x": "i", "containerd.io/gc.ref.snapshot.native": "n", "containerd.io/gc.ref.contents": "x", "other": "y",
	}))
}

func TestReached(t *testing.T) {
	refs := map[string][]Node{"a": {{Content, "b"}, {Content, "missing"}}, "b": {{Content, "a"}}, "c": {{Content, "a"}}}
	got := Reached([]Node{{Content, "a"}}, func(n Node) []Node { return refs[n.Key] })
	require.Equal(t, map[Node]bool{{Content, "a"}: true, {Content, "b"}: true, {Content, "missing"}: true}, got, "a circle ends, and c is not reached")
	require.Empty(t, Reached(nil, nil))
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	label := func(v string) map[string]string { return map[string]string{labelExpire: v} }
	require.True(t, Expired(label("2026-01-02T03:04:04Z"), now))
	require.False(t, Expired(label("2026-01-02T03:04:06Z"), now))
	require.False(t, Expired(label("soon"), now), "what cannot be read collects nothing")
	require.False(t, Expired(nil, now))
	require.True(t, Root(label("2026-01-02T03:04:06Z"), now))
	require.False(t, Root(label("2026-01-02T03:04:04Z"), now))
	require.True(t, Root(map[string]string{labelRoot: ""}, now))
}
