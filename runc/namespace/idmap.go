package namespace

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// An IDMap says which ids inside of a user namespace stand for which ids outside (user_namespaces(7)).
type IDMap []specs.LinuxIDMapping

// maxExtents is UID_GID_MAP_MAX_EXTENTS: the lines that the kernel takes in a map (user_namespaces(7); Linux 4.15, 5 before).
const maxExtents = 340

// Host is the id outside that the id inside stands for. Without a map, outside of user namespaces, that is itself.
func (m IDMap) Host(id uint32) (host uint32, ok bool) {
	if m == nil {
		return id, true
	}
	for _, e := range m {
		if id >= e.ContainerID && id-e.ContainerID < e.Size {
			return e.HostID + (id - e.ContainerID), true
		}
	}
	return 0, false
}

// String is the map as /proc/PID/uid_map takes it: one line for each extent.
func (m IDMap) String() string {
	var b strings.Builder
	for _, e := range m {
		fmt.Fprintf(&b, "%d %d %d\n", e.ContainerID, e.HostID, e.Size)
	}
	return b.String()
}

// check holds the map against the kernel's rules, which would otherwise answer EINVAL to all that breaks one of them, and against ours:
// the set-up goes on as the namespace's uid 0, which therefore must exist.
func (m IDMap) check(field string) error {
	refuse := func(i int, format string, args ...any) error {
		thing := field
		if i >= 0 {
			thing = fmt.Sprintf("%s[%d]", field, i)
		}
		return &stages.Error{Step: stages.RuncNsUsermap, Kind: stages.Invalid, Thing: thing, Err: fmt.Errorf(format, args...)}
	}
	if len(m) > maxExtents {
		return refuse(-1, "%d mappings, of which the kernel takes %d", len(m), maxExtents)
	}
	for i, e := range m {
		switch {
		case e.Size == 0:
			return refuse(i, "its size is zero")
		case e.Size > math.MaxUint32-e.ContainerID, e.Size > math.MaxUint32-e.HostID: // the last id, 2^32-1, is no id: it means "unchanged" to setuid(2)
			return refuse(i, "%d ids from %d, for those from %d, go beyond 4294967294", e.Size, e.ContainerID, e.HostID)
		}
	}
	for _, side := range []struct {
		name  string
		first func(e specs.LinuxIDMapping) uint32
	}{
		{"container", func(e specs.LinuxIDMapping) uint32 { return e.ContainerID }},
		{"host", func(e specs.LinuxIDMapping) uint32 { return e.HostID }},
	} {
		sorted := slices.SortedFunc(slices.Values(m), func(a, b specs.LinuxIDMapping) int { return cmp.Compare(side.first(a), side.first(b)) })
		for i := 1; i < len(sorted); i++ {
			if low, high := sorted[i-1], side.first(sorted[i]); high-side.first(low) < low.Size {
				return refuse(-1, "the %s id %d is in two mappings", side.name, high)
			}
		}
	}
	if _, ok := m.Host(0); !ok {
		return refuse(-1, "the container id 0 is in no mapping: the set-up needs it")
	}
	// The kernel takes a map in one write(2), which must be shorter than a page.
	if n := len(m.String()); n >= os.Getpagesize() {
		return refuse(-1, "as text it has %d bytes, of which the kernel takes %d", n, os.Getpagesize()-1)
	}
	return nil
}

// parseMap reads the text of /proc/PID/uid_map or gid_map.
func parseMap(text string) (m IDMap, err error) {
	for line := range strings.Lines(text) {
		var e specs.LinuxIDMapping
		if n, err := fmt.Sscan(line, &e.ContainerID, &e.HostID, &e.Size); n != 3 {
			return nil, fmt.Errorf("cannot read %q: %w", line, err)
		}
		m = append(m, e)
	}
	return m, nil
}
