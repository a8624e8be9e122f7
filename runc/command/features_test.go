package command_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	document "github.com/opencontainers/runtime-spec/specs-go/features"
	"github.com/stretchr/testify/require"
)

func (b *bench) features(runtime string) (f document.Features) {
	cmd := b.as(runtime, "features")
	out, err := cmd.Output()
	require.NoError(b.t, err)
	require.NoError(b.t, json.Unmarshal(out, &f))
	return f
}

// The document of features promises what create keeps: each word of it in a configuration makes a container; and nothing that runc has is
// missing but what is named here.
func TestFeatures(t *testing.T) {
	b := newBench(t, nil)
	ours, theirs := b.features("hull-runc"), b.features("runc")
	require.Equal(t, "1.0.0", ours.OCIVersionMin)
	require.Equal(t, specs.Version, ours.OCIVersionMax)
	require.ElementsMatch(t, theirs.Hooks, ours.Hooks)
	require.Equal(t, theirs.Linux.Capabilities, ours.Linux.Capabilities)
	require.Subset(t, ours.Linux.Seccomp.Operators, theirs.Linux.Seccomp.Operators)
	require.Subset(t, ours.Linux.Seccomp.Archs, theirs.Linux.Seccomp.Archs)

	lacks := func(have, want []string) []string {
		return slices.DeleteFunc(slices.Clone(want), func(w string) bool { return slices.Contains(have, w) })
	}
	require.Subset(t, []string{"SCMP_ACT_NOTIFY"}, lacks(ours.Linux.Seccomp.Actions, theirs.Linux.Seccomp.Actions))
	require.Subset(t, []string{"user"}, lacks(ours.Linux.Namespaces, theirs.Linux.Namespaces))
	// The acl options are ext4's own; the others are words for what the kernel does anyway, or options of theirs that are not offered.
	require.Subset(t, []string{"acl", "iversion", "loud", "noacl", "noiversion", "nolazytime", "remount", "silent", "tmpcopyup"},
		lacks(ours.MountOptions, theirs.MountOptions))
	for _, v := range []*bool{ours.Linux.Cgroup.V1, ours.Linux.Cgroup.V2, ours.Linux.Cgroup.Rdma, ours.Linux.Seccomp.Enabled} {
		require.True(t, *v)
	}
	for _, v := range []*bool{ours.Linux.Cgroup.Systemd, ours.Linux.Cgroup.SystemdUser, ours.Linux.IntelRdt.Enabled} {
		require.False(t, *v)
	}

	// plan goes through the same checks as create, and makes nothing.
	plan := func(what string, change func(*specs.Spec)) {
		b.spec = defaultSpec()
		change(b.spec)
		b.writeSpec()
		out, err := exec.Command(b.bin, "plan", b.bundle).CombinedOutput()
		require.NoError(t, err, "%s: %s", what, out)
	}
	plan("mount options", func(s *specs.Spec) {
		needMore := []string{"bind", "rbind", "idmap", "ridmap", "remount"}
		s.Mounts = append(s.Mounts, specs.Mount{Destination: "/vol", Type: "tmpfs", Source: "tmpfs", Options: lacks(needMore, ours.MountOptions)})
	})
	plan("capabilities", func(s *specs.Spec) { s.Process.Capabilities.Bounding = ours.Linux.Capabilities })
	for _, action := range ours.Linux.Seccomp.Actions {
		if action != string(specs.ActNotify) {
			plan(action, func(s *specs.Spec) {
				s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"acct"}, Action: specs.LinuxSeccompAction(action)}}}
			})
		}
	}
	plan("architectures", func(s *specs.Spec) {
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
		for _, arch := range ours.Linux.Seccomp.Archs {
			s.Linux.Seccomp.Architectures = append(s.Linux.Seccomp.Architectures, specs.Arch(arch))
		}
	})
}
