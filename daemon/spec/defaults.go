package spec

import (
	"path/filepath"

	"github.com/moby/moby/api/types/container"
)

// Adapt decides what the user left open, so that inspect and a restart see what was decided.
func Adapt(h *container.HostConfig) {
	if h.ShmSize == 0 {
		h.ShmSize = defaultShm
	}
	if h.IpcMode.IsEmpty() {
		h.IpcMode = container.IPCModePrivate
	}
	if h.CgroupnsMode.IsEmpty() {
		h.CgroupnsMode = container.CgroupnsModePrivate
		// A privileged container on v1 sees the whole tree, as docker has it: what it mounts itself is not cut off at its own group.
		if h.Privileged && !machine().unified() {
			h.CgroupnsMode = container.CgroupnsModeHost
		}
	}
	if h.Memory > 0 && h.MemorySwap == 0 && swapLimit() && h.Memory <= 1<<62-1 {
		h.MemorySwap = 2 * h.Memory // as much swap as memory
	}
	if h.MemorySwappiness != nil && *h.MemorySwappiness == -1 {
		h.MemorySwappiness = nil // how docker's client says "not given"
	}
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
