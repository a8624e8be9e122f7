package spec

import (
	"os"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// defaultCapabilities are docker's fourteen: what most programs run as root inside a container need, and nothing that reaches the host.
var defaultCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP",
	"CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

// capabilities gives root all three sets, and another user only the bound: it may gain them by executing a setuid file, and holds none
// (capabilities(7)).
func capabilities(uid uint32) *specs.LinuxCapabilities {
	caps := &specs.LinuxCapabilities{Bounding: defaultCapabilities}
	if uid == 0 {
		caps.Effective, caps.Permitted = defaultCapabilities, defaultCapabilities
	}
	return caps
}

// maskedPaths tell of the host, or reach into it, and no namespace covers them.
func maskedPaths() []string {
	paths := []string{
		"/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
		"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
	}
	// Per-CPU throttle counters tell one container what another does.
	cpus, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle")
	return append(paths, cpus...)
}

// readonlyPaths are the parts of /proc that change the whole machine.
func readonlyPaths() []string {
	return []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
}

// allowedDevices is docker's device cgroup: nothing but the nodes that every program expects, and no fuse. The runtime adds the terminal's.
func allowedDevices() []specs.LinuxDeviceCgroup {
	number := func(n int64) *int64 { return &n }
	char := func(major, minor int64, allow bool) specs.LinuxDeviceCgroup {
		return specs.LinuxDeviceCgroup{Allow: allow, Type: "c", Major: number(major), Minor: number(minor), Access: "rwm"}
	}
	return []specs.LinuxDeviceCgroup{
		{Allow: false, Access: "rwm"},
		char(1, 5, true), char(1, 3, true), char(1, 9, true), char(1, 8, true), // zero, null, urandom, random
		char(5, 0, true), char(5, 1, true), // tty, console
		char(10, 229, false), // fuse
	}
}

// swapLimit reports whether this kernel's memory controller can limit swap, on cgroup v1 or v2.
func swapLimit() bool {
	if _, err := os.Stat("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"); err == nil {
		return true
	}
	v2, _ := filepath.Glob("/sys/fs/cgroup/*/memory.swap.max")
	return len(v2) > 0
}
