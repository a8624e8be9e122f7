package snapshot

import (
	"fmt"
	"path/filepath"
	"strings"
)

// limits are the files that say what a group may use; on v1 and v2.
var limits = []struct {
	controller, label string
	files             []string
}{
	{"memory", "limit", []string{"memory.max", "memory.limit_in_bytes"}},
	{"memory", "used", []string{"memory.current", "memory.usage_in_bytes"}},
	{"pids", "limit", []string{"pids.max"}},
	{"pids", "used", []string{"pids.current"}},
	{"cpu", "max", []string{"cpu.max"}},
	{"cpu", "quota", []string{"cpu.cfs_quota_us"}},
	{"cpuset", "cpus", []string{"cpuset.cpus"}},
	{"freezer", "state", []string{"freezer.state", "cgroup.freeze"}},
}

// cgroups is the process's group in each hierarchy, with its limits (cgroups(7), proc_pid_cgroup(5)).
func cgroups(pid int) (lines []string) {
	at := hierarchies()
	var root []string
	for line := range strings.Lines(read("/proc/%d/cgroup", pid)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		name := part[1]
		if name == "" {
			name = "unified"
		}
		if part[2] == "/" {
			root = append(root, name)
			continue
		}
		text := fmt.Sprintf("%-12s %s", name, clean(part[2]))
		for _, l := range limits {
			for _, f := range l.files {
				if name != "unified" && !strings.Contains(","+part[1]+",", ","+l.controller+",") {
					continue
				}
				if value := strings.TrimSpace(read("%s", filepath.Join(at[part[1]], part[2], f))); value != "" {
					if value == "9223372036854771712" { // v1's way to write "none"
						value = "none"
					}
					text += fmt.Sprintf("  %s %s=%s", l.controller, l.label, value)
				}
			}
		}
		lines = append(lines, text)
	}
	if len(root) > 0 {
		lines = append(lines, "in the root group of: "+strings.Join(root, " "))
	}
	return lines
}

// hierarchies is where each is mounted; "" is the unified one.
func hierarchies() map[string]string {
	at := map[string]string{}
	for line := range strings.Lines(read("/proc/self/mountinfo")) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 3 {
			continue
		}
		switch g[0] {
		case "cgroup2":
			at[""] = f[4]
		case "cgroup": // the last option words are the controllers, as /proc/PID/cgroup has them but perhaps in another order
			at[controllers(g[2])] = f[4]
		}
	}
	return at
}

// controllers are a v1 hierarchy's among its super block's options: those that are no plain option.
func controllers(options string) string {
	var list []string
	for _, o := range strings.Split(options, ",") {
		switch {
		case o == "rw", o == "ro", o == "xattr", o == "clone_children", o == "noprefix", strings.HasPrefix(o, "release_agent="):
		default:
			list = append(list, o)
		}
	}
	return strings.Join(list, ",")
}
