package seccomp

import (
	"runtime"
	"testing"

	moby "github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestPermits holds our reading of a filter against another machine's, over all numbers and arguments that docker's profile looks at.
func TestPermits(t *testing.T) {
	profile, err := moby.GetDefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{}}})
	require.NoError(t, err)
	f, err := Compile(profile)
	require.NoError(t, err)
	vm := machine(t, f)
	audit := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	permitted := 0
	for nr := range uint32(500) {
		for _, args := range [][6]uint64{{}, {8}, {0xffffffff}, {unix.CLONE_NEWUSER}, {unix.CLONE_PARENT | unix.CLONE_PARENT_SETTID}, {unix.AF_VSOCK}, {1 << 40}} {
			verdict, err := vm.Run(call{nr: nr, arch: audit, args: args}.data())
			require.NoError(t, err)
			ours := f.Permits(uintptr(nr), args)
			require.Equal(t, uint32(verdict) == unix.SECCOMP_RET_ALLOW, ours, "%d %v", nr, args)
			if ours {
				permitted++
			}
		}
	}
	require.Greater(t, permitted, 1000)
}
