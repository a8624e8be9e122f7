package snapshot

import (
	"fmt"
	"os"
	"strings"
)

// namespaces compares the process's namespaces with hull-trace's own, which are the host's. Two processes are in the same namespace if its
// inode is the same (namespaces(7)).
func namespaces(pid int) (lines []string) {
	for _, kind := range []string{"mnt", "pid", "net", "ipc", "uts", "cgroup", "user", "time"} {
		its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
		if err != nil {
			continue
		}
		whose := "its own"
		if host, _ := os.Readlink("/proc/self/ns/" + kind); host == its {
			whose = "the host's"
		}
		inode := strings.Trim(strings.TrimPrefix(its, kind+":"), "[]")
		lines = append(lines, fmt.Sprintf("%-7s %s  %s", kind, inode, whose))
	}
	return lines
}
