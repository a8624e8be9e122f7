// Package cgroup reads a container's cgroups: who is in them, what they use, and whether the kernel had to kill for want of memory.
//
// Called by shim/task, after the runtime has made the groups. Each controller may be cgroup v1's or v2's: /proc/PID/cgroup says where a
// process is, and the files in that directory what there is to know. What a kernel does not count is left out, never guessed.
//
// What it must not do: write to a cgroup (that is the runtime's), but for asking for memory events.
package cgroup

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mountpoint is where the hierarchies are: on a machine with cgroup v1, one directory for each controller, and v2 in "unified".
const mountpoint = "/sys/fs/cgroup"

// A Group is where a container is in each hierarchy. The zero Group is nowhere: it has no processes and no counters.
type Group struct {
	v1 map[string]string // directories by controller
	v2 string
}

// Of is the group that a process is in. cgroups(7), /proc/PID/cgroup: "ID:controllers:path", v2's with no controllers.
func Of(pid int) Group {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return Group{}
	}
	return parse(string(b))
}

func parse(text string) Group {
	g := Group{v1: map[string]string{}}
	path := ""
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		f := strings.SplitN(line, ":", 3)
		switch {
		case len(f) != 3:
		case f[1] == "":
			path = f[2]
		case strings.HasPrefix(f[1], "name="): // a hierarchy without a controller: systemd's
		default:
			for _, controller := range strings.Split(f[1], ",") {
				g.v1[controller] = filepath.Join(mountpoint, controller, f[2])
			}
		}
	}
	switch {
	case path == "":
	case len(g.v1) == 0:
		g.v2 = filepath.Join(mountpoint, path)
	default:
		g.v2 = filepath.Join(mountpoint, "unified", path)
	}
	return g
}

// Processes are the pids in the group and the ones below it. Of v1's hierarchies one is enough to find them; these are the ones a runtime
// always uses.
func (g Group) Processes() (pids []int) {
	for _, dir := range []string{g.v1["pids"], g.v1["memory"], g.v1["devices"], g.v2} {
		if dir == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil {
			return processes(dir)
		}
	}
	return nil
}

func processes(dir string) (pids []int) {
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
