package cgroup

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

// A hierarchy is one mounted tree of cgroups.
type hierarchy struct {
	version     int      // 1 or 2
	controllers []string // v1: as the mount's options name them, "name=systemd" for a named one; v2: those its root offers
	mount       string   // where it is mounted
	root        string   // which of its directories the mount shows; "/" unless we are in a container ourselves
	own         string   // the directory this process is in, from the hierarchy's root
}

// String is the hierarchy's name in messages.
func (h hierarchy) String() string {
	if h.version == 2 {
		return "unified"
	}
	return strings.Join(h.controllers, ",")
}

// detect lists the hierarchies that are mounted here: first v1's in the order of /proc/self/mountinfo, then the unified one.
func detect() ([]hierarchy, error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	all, err := parse(string(mountinfo), string(own))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].version == 2 {
			// The controllers the kernel has not given to a v1 hierarchy.
			text, err := os.ReadFile(path.Join(all[i].mount, "cgroup.controllers"))
			if err != nil {
				return nil, err
			}
			all[i].controllers = strings.Fields(string(text))
		}
	}
	return all, nil
}

// parse joins the two files: mountinfo says what is mounted where, cgroup says where this process is.
// proc_pid_mountinfo(5): "ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [OPTIONAL…] - FSTYPE SOURCE SUPEROPTIONS".
// cgroups(7), /proc/PID/cgroup: "ID:CONTROLLERS:PATH"; the unified hierarchy is "0::PATH".
func parse(mountinfo, own string) ([]hierarchy, error) {
	paths := map[string]string{} // "cpu", "name=systemd", "" for the unified one → path
	for line := range strings.Lines(own) {
		part := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(part) != 3 {
			return nil, fmt.Errorf("/proc/self/cgroup: cannot read %q", line)
		}
		for c := range strings.SplitSeq(part[1], ",") {
			paths[c] = part[2]
		}
	}
	var v1, v2 []hierarchy
	seen := map[string]bool{} // by device number: the same hierarchy may be mounted several times
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		f, g := strings.Split(before, " "), strings.Split(after, " ")
		if !ok || len(f) < 6 || len(g) < 3 {
			return nil, fmt.Errorf("/proc/self/mountinfo: cannot read %q", line)
		}
		if fstype := g[0]; (fstype != "cgroup" && fstype != "cgroup2") || seen[f[2]] {
			continue
		}
		h := hierarchy{version: 1, root: unescape(f[3]), mount: unescape(f[4])}
		if g[0] == "cgroup2" {
			h.version = 2
			h.own = paths[""]
			v2 = append(v2, h)
			seen[f[2]] = true
			continue
		}
		for option := range strings.SplitSeq(g[len(g)-1], ",") {
			// Of a mount's options those are controllers that /proc/self/cgroup names too; the others are "rw", "xattr" and the like.
			if p, ok := paths[option]; ok && option != "" {
				h.controllers = append(h.controllers, option)
				h.own = p
			}
		}
		if len(h.controllers) > 0 {
			v1 = append(v1, h)
			seen[f[2]] = true
		}
	}
	return append(v1, v2...), nil
}

// unescape undoes mountinfo's octal escapes of space, tab, newline and backslash.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// find is the hierarchy that holds a controller, or nil.
func find(all []hierarchy, controller string) *hierarchy {
	for i := range all {
		if slices.Contains(all[i].controllers, controller) {
			return &all[i]
		}
	}
	return nil
}
