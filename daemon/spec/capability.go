package spec

import (
	"slices"
	"strings"
	"sync"

	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// defaultCapabilities are docker's fourteen: what most programs run as root inside a container need, and nothing that reaches the host.
var defaultCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP",
	"CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

// allCapabilities are the kernel's, by number (capabilities(7), include/uapi/linux/capability.h, Linux 5.9).
var allCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
	"CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN",
	"CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
	"CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

// grantable are those that this daemon, and so the runtime below it, has in its bounding set (prctl(2), PR_CAPBSET_READ): no child of
// ours can have others.
var grantable = sync.OnceValue(func() (list []string) {
	for n, name := range allCapabilities {
		if have, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(n), 0, 0, 0); err == nil && have == 1 {
			list = append(list, name)
		}
	}
	return list
})

// tweak is which capabilities the container's root has. "All" means all that there are here; the warning names the others.
func tweak(add, drop []string, privileged bool) (list, warnings []string, err error) {
	if add, err = capabilityNames("CapAdd", add); err != nil {
		return nil, nil, err
	}
	if drop, err = capabilityNames("CapDrop", drop); err != nil {
		return nil, nil, err
	}
	base := defaultCapabilities
	all := privileged || slices.Contains(add, "ALL")
	switch {
	case all:
		base, add = allCapabilities, nil
	case slices.Contains(drop, "ALL"):
		base = nil
	}
	if privileged {
		drop = nil
	}
	var missing []string
	for _, name := range base {
		switch {
		case slices.Contains(drop, name) || slices.Contains(add, name):
		case !slices.Contains(grantable(), name):
			missing = append(missing, name)
		default:
			list = append(list, name)
		}
	}
	if len(missing) > 0 {
		warnings = append(warnings, "capabilities "+strings.Join(missing, ", ")+" are left out: this machine does not grant them")
	}
	for _, name := range add {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list, warnings, nil
}

// capabilityNames reads docker's spelling: net_admin, CAP_NET_ADMIN, ALL.
func capabilityNames(field string, names []string) (out []string, err error) {
	for _, name := range names {
		name = strings.ToUpper(name)
		if name != "ALL" && !strings.HasPrefix(name, "CAP_") {
			name = "CAP_" + name
		}
		switch {
		case name == "ALL" || slices.Contains(grantable(), name):
			out = append(out, name)
		case slices.Contains(allCapabilities, name):
			return nil, invalid("invalid %s: capability not supported by your kernel or not available in the current environment: %q", field, name)
		default:
			return nil, invalid("invalid %s: unknown capability: %q", field, name)
		}
	}
	return out, nil
}

// capabilities gives root all three sets, and another user only the bound: it may gain them by executing a setuid file, and holds none
// (capabilities(7)).
func capabilities(list []string, uid uint32) *specs.LinuxCapabilities {
	caps := &specs.LinuxCapabilities{Bounding: list}
	if uid == 0 {
		caps.Effective, caps.Permitted = list, list
	}
	return caps
}

// holds reports whether this daemon itself may use a capability, as the runtime below it then can.
func holds(name string) bool {
	n := slices.Index(allCapabilities, name)
	var data [2]unix.CapUserData
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0])
	return err == nil && data[n/32].Effective>>(n%32)&1 == 1
}

// cannot is the error of something that was asked for by a flag and that this machine does not have.
func cannot(flag, why string) error {
	return &stages.Error{Kind: stages.Unsupported, Thing: flag, Err: errorf("%s", why), Hint: "leave it out"}
}
