package command

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"runtime"
	"slices"

	"hull/runc/confine"
	"hull/runc/container"
	"hull/runc/hook"
	"hull/runc/namespace"
	"hull/runc/process"
	"hull/runc/rootfs"
	"hull/runc/seccomp"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	document "github.com/opencontainers/runtime-spec/specs-go/features"
)

// Version is what --version says.
const Version = "0.1.0"

func printVersion(w io.Writer) {
	fmt.Fprintf(w, "hull-runc version %s\nspec: %s\ngo: %s\n", Version, specs.Version, runtime.Version())
}

// features prints what is offered, as the OCI runtime-spec's features.md has it: each list is read out of the table, or asked of the parser,
// that a container's configuration goes through.
func features(g *global, fs *flag.FlagSet, args []string) error {
	if _, err := positional(fs, args, 0, 0); err != nil {
		return err
	}
	enc := json.NewEncoder(g.out)
	enc.SetIndent("", "    ")
	return enc.Encode(offered())
}

func offered() *document.Features {
	flag := func(v bool) *bool { return &v }
	offers := func(change func(*specs.Spec)) *bool { return flag(container.Offers(change)) }
	options := rootfs.KnownOptions()
	f := &document.Features{
		OCIVersionMin: "1.0.0", OCIVersionMax: specs.Version,
		MountOptions: options,
		Linux: &document.Linux{
			Namespaces:   namespace.Kinds(),
			Capabilities: confine.KnownCapabilities(),
			Cgroup:       &document.Cgroup{V1: flag(true), V2: flag(true), Systemd: flag(false), SystemdUser: flag(false), Rdma: flag(true)},
			Seccomp: &document.Seccomp{
				Enabled: flag(true), Actions: seccomp.KnownActions(), Operators: seccomp.KnownOperators(), Archs: seccomp.KnownArches(),
				KnownFlags: seccomp.KnownFlags(), SupportedFlags: seccomp.KnownFlags(),
			},
			Apparmor:        &document.Apparmor{Enabled: offers(func(s *specs.Spec) { s.Process.ApparmorProfile = "x" })},
			Selinux:         &document.Selinux{Enabled: offers(func(s *specs.Spec) { s.Process.SelinuxLabel = "x" })},
			IntelRdt:        &document.IntelRdt{Enabled: offers(func(s *specs.Spec) { s.Linux.IntelRdt = &specs.LinuxIntelRdt{} })},
			MemoryPolicy:    memoryPolicies(),
			MountExtensions: &document.MountExtensions{IDMap: &document.IDMap{Enabled: flag(slices.Contains(options, "idmap"))}},
			NetDevices: &document.NetDevices{Enabled: offers(func(s *specs.Spec) {
				s.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.NetworkNamespace}}
				s.Linux.NetDevices = map[string]specs.LinuxNetDevice{"eth0": {}}
			})},
		},
	}
	for _, k := range hook.Kinds() {
		f.Hooks = append(f.Hooks, string(k))
	}
	return f
}

func memoryPolicies() *document.MemoryPolicy {
	modes, flags := process.KnownMemoryPolicies()
	return &document.MemoryPolicy{Modes: modes, Flags: flags}
}
