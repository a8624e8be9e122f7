package task

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cgroupOf is the directory of the cgroup that a process is in: on v2 there is one; of v1's hierarchies one is enough to find the
// container's processes, and these are the ones a runtime always uses. cgroups(7), /proc/PID/cgroup: "ID:controllers:path".
func cgroupOf(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return ""
	}
	found := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		f := strings.SplitN(line, ":", 3)
		if len(f) != 3 {
			continue
		}
		for _, controller := range strings.Split(f[1], ",") {
			found[controller] = f[2]
		}
	}
	for _, controller := range []string{"pids", "memory", "devices", ""} {
		if path, ok := found[controller]; ok {
			dir := filepath.Join("/sys/fs/cgroup", controller, path)
			if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil {
				return dir
			}
		}
	}
	return ""
}

// cgroupPIDs are the processes in the cgroup and the ones below it.
func cgroupPIDs(dir string) (pids []int) {
	if dir == "" {
		return nil
	}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		b, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		if err != nil {
			return nil
		}
		for _, line := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(line); err == nil {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	return pids
}
