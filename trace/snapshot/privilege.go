package snapshot

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// capabilityNames are capabilities(7)'s, by number.
var capabilityNames = [...]string{
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
	"net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace",
	"sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write",
	"audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore",
}

// privileges is what the process may do (proc_pid_status(5), capabilities(7), seccomp(2)).
func privileges(pid int) (lines []string) {
	field := map[string]string{}
	for line := range strings.Lines(read("/proc/%d/status", pid)) {
		key, value, _ := strings.Cut(line, ":")
		field[key] = strings.TrimSpace(value)
	}
	if len(field) == 0 {
		return nil
	}
	effective, bounding := set(field["CapEff"]), set(field["CapBnd"])
	seccomp := map[string]string{"0": "none", "1": "strict", "2": "a filter"}[field["Seccomp"]]
	if n := field["Seccomp_filters"]; seccomp == "a filter" && n != "" && n != "1" {
		seccomp = n + " filters"
	}
	nnp := map[string]string{"0": "off", "1": "on"}[field["NoNewPrivs"]]
	return []string{
		"effective  " + names(effective),
		"bounding   " + names(bounding),
		fmt.Sprintf("uid %s  gid %s  no_new_privs %s  seccomp %s", first(field["Uid"]), first(field["Gid"]), nnp, seccomp),
	}
}

func first(s string) string {
	word, _, _ := strings.Cut(s, "\t")
	return word
}

func set(hex string) uint64 {
	n, _ := strconv.ParseUint(hex, 16, 64)
	return n
}

// names lists a set, or what is missing from it if that is shorter.
func names(set uint64) string {
	var has, lacks []string
	for i, name := range capabilityNames {
		if i > unix.CAP_LAST_CAP {
			break
		}
		if set&(1<<i) != 0 {
			has = append(has, name)
		} else {
			lacks = append(lacks, name)
		}
	}
	switch {
	case len(lacks) == 0:
		return fmt.Sprintf("all %d", len(has))
	case len(has) == 0:
		return "none"
	case len(lacks) < 8:
		return fmt.Sprintf("all %d but %s", len(capabilityNames), strings.Join(lacks, " "))
	}
	return fmt.Sprintf("%d: %s", len(has), strings.Join(has, " "))
}
