package snapshot

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// limits are the files that say what a group may use; on v1 and v2.
var limits = []struct {
	controller, label string
	files             []string
}{
	{"memory", "limit", []string{"memory.max", "memory.limit_in_bytes"}},
	{"pids", "limit", []string{"pids.max"}},
	{"pids", "used", []string{"pids.current"}},
	{"cpu", "max", []string{"cpu.max"}},
	{"cpu", "quota", []string{"cpu.cfs_quota_us"}},
	{"cpuset", "cpus", []string{"cpuset.cpus"}},
	{"freezer", "state", []string{"freezer.state"}},
}

// cgroups is the process's group in each hierarchy, with its limits (cgroups(7), proc_pid_cgroup(5)). Usually it has the same path in all.
func cgroups(pid int) (lines []string) {
	at := hierarchies()
	in, says, paths := map[string][]string{}, map[string][]string{}, []string{}
	for line := range strings.Lines(read("/proc/%d/cgroup", pid)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		name, path := part[1], part[2]
		if name == "" {
			name = "unified"
		}
		if in[path] == nil {
			paths = append(paths, path)
		}
		in[path] = append(in[path], name)
		if path != "/" {
			says[path] = append(says[path], limitsOf(part[1], filepath.Join(at[part[1]], path))...)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		if path == "/" {
			lines = append(lines, "in the root group of "+strings.Join(in[path], " "))
			continue
		}
		lines = append(lines, clean(path), "  in "+strings.Join(in[path], " "))
		if len(says[path]) > 0 {
			lines = append(lines, "  "+strings.Join(says[path], ", "))
		}
	}
	return lines
}

// limitsOf reads the limits of one hierarchy's group; hierarchy holds its controllers, or is "" for the unified one, which may have any.
func limitsOf(hierarchy, dir string) (says []string) {
	for _, l := range limits {
		if hierarchy != "" && !slices.Contains(strings.Split(hierarchy, ","), l.controller) {
			continue
		}
		for _, f := range l.files {
			if value := strings.TrimSpace(read("%s", filepath.Join(dir, f))); value != "" {
				if value == "9223372036854771712" { // v1's way to write "none"
					value = "none"
				}
				says = append(says, fmt.Sprintf("%s %s %s", l.controller, l.label, value))
			}
		}
	}
	return says
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
