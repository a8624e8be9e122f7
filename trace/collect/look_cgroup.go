package collect

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// lookAtLimits compares config.json with the files of the cgroups that the container's first process is in, as the kernel lists them
// (/proc/PID/cgroup: "4:memory:/path" on v1, "0::/path" on v2).
func lookAtLimits(r *run, spec *specs.Spec) {
	groups := cgroupDirs(r.target.init.PID)
	if spec.Linux == nil || spec.Linux.Resources == nil {
		r.saw(stages.StateCgroupLimits, true, "config.json asks for no limit")
		return
	}
	var said []string
	ok := true
	check := func(want int64, controller string, files ...string) {
		got, file := readLimit(groups, controller, files)
		same := got == strconv.FormatInt(want, 10) || want <= 0 && (got == "max" || got == "-1")
		ok = ok && same
		said = append(said, fmt.Sprintf("%s is %s, asked for %d", file, got, want))
	}
	res := spec.Linux.Resources
	if res.Memory != nil && res.Memory.Limit != nil {
		check(*res.Memory.Limit, "memory", "memory.limit_in_bytes", "memory.max")
	}
	if res.Pids != nil && res.Pids.Limit != nil {
		check(*res.Pids.Limit, "pids", "pids.max")
	}
	if res.CPU != nil && res.CPU.Quota != nil {
		check(*res.CPU.Quota, "cpu", "cpu.cfs_quota_us", "cpu.max")
	}
	if len(said) == 0 {
		said = []string{"config.json asks for no limit on memory, pids or cpu"}
	}
	r.sawWhile(r.target.init, stages.StateCgroupLimits, ok, "%s", strings.Join(said, "; "))
}

// cgroupDirs maps a process's controllers to their directories. "" is the unified hierarchy.
func cgroupDirs(pid int) map[string]string {
	dirs := map[string]string{}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	mounts := cgroupMounts()
	for _, line := range strings.Split(string(text), "\n") {
		part := strings.SplitN(line, ":", 3)
		if len(part) != 3 {
			continue
		}
		for _, controller := range strings.Split(part[1], ",") {
			if at := mounts[controller]; at != "" {
				dirs[controller] = filepath.Join(at, part[2])
			}
		}
	}
	return dirs
}

// cgroupMounts is where each controller's hierarchy is mounted; "" is the unified one (cgroups(7)).
func cgroupMounts() map[string]string {
	mounts := map[string]string{}
	text, _ := os.ReadFile("/proc/self/mountinfo")
	for _, line := range strings.Split(string(text), "\n") {
		before, after, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 3 {
			continue
		}
		switch g[0] {
		case "cgroup2":
			mounts[""] = f[4]
		case "cgroup":
			for _, opt := range strings.Split(g[2], ",") {
				mounts[opt] = f[4]
			}
		}
	}
	return mounts
}

func readLimit(groups map[string]string, controller string, files []string) (value, file string) {
	file = files[0]
	for _, dir := range []string{groups[controller], groups[""]} {
		for _, name := range files {
			if dir == "" {
				continue
			}
			if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				value, _, _ = strings.Cut(strings.TrimSpace(string(text)), " ") // cpu.max holds "quota period"
				return value, filepath.Join(dir, name)
			}
		}
	}
	return "absent", file
}
