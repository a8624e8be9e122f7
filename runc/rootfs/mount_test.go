package rootfs_test

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// A sysfs of the host's network cannot be made in a user namespace: the host's is bound there instead, with all that is on it.
func TestSysfsOfHostNetwork(t *testing.T) {
	onSharedHost(t, func() {
		for userns, bound := range map[bool]bool{false: false, true: true} {
			v := newVictim(t)
			v.ownDev, v.userns = false, userns
			v.spec.Mounts = []specs.Mount{{Destination: "/sys", Type: "sysfs", Options: []string{"nosuid", "ro"}}}
			v.spec.Linux.MaskedPaths, v.spec.Linux.ReadonlyPaths = nil, nil
			b, err := v.make()
			require.NoError(t, err)
			require.Equal(t, "sysfs", b.on(t, "/sys")[0].fstype)
			require.Equal(t, bound, len(b.on(t, "/sys/fs/cgroup")) > 0, "userns: %v", userns)
			b.end()
		}
	})
}
