package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// controllers are those that hull sets limits with, and a file that each puts into a group.
var controllers = []struct {
	name   string
	files  [2]string // on v1, on v2
	needed bool
	cost   string
}{
	{"memory", [2]string{"memory.limit_in_bytes", "memory.max"}, false, "--memory is refused"},
	{"cpu", [2]string{"cpu.cfs_quota_us", "cpu.max"}, false, "--cpus is refused"},
	{"pids", [2]string{"pids.max", "pids.max"}, false, "--pids-limit is refused"},
	{"cpuset", [2]string{"cpuset.cpus", "cpuset.cpus"}, false, "--cpuset-cpus is refused"},
	{"io", [2]string{"blkio.throttle.read_bps_device", "io.max"}, false, "limits on disks are refused"},
	{"devices", [2]string{"devices.allow", ""}, false, "a container's access to devices is limited by its capabilities only"},
	{"freezer", [2]string{"freezer.state", "cgroup.freeze"}, false, "pause is refused"},
}

func cgroups() topic {
	t := topic{name: "cgroups"}
	mounts := cgroupMounts()
	t.probes = append(t.probes, probe{
		"hierarchies", true, func() (string, error) { return layout(mounts) }, "no container: it has no group",
		"mount -t cgroup2 none /sys/fs/cgroup",
	})
	for _, c := range controllers {
		t.probes = append(t.probes, probe{
			c.name, c.needed, func() (string, error) { return controller(mounts, c.name, c.files) }, c.cost,
			"a kernel with this controller, mounted on v1 or listed in /sys/fs/cgroup/cgroup.controllers",
		})
	}
	t.probes = append(t.probes, probe{
		"CLONE_INTO_CGROUP", false, func() (string, error) { return "", intoCgroup(mounts) },
		"the first process joins its v2 group after its birth", "cgroup v2, Linux 5.7",
	})
	return t
}

// A hierarchy is one mount of cgroupfs; controllers is empty for v2.
type hierarchy struct {
	dir         string
	v2          bool
	controllers []string
}

func cgroupMounts() (list []hierarchy) {
	text, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(text)) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 3 || g[0] != "cgroup" && g[0] != "cgroup2" {
			continue
		}
		h := hierarchy{dir: f[4], v2: g[0] == "cgroup2"}
		if !h.v2 {
			h.controllers = strings.Split(g[2], ",")
		}
		list = append(list, h)
	}
	return list
}

func layout(mounts []hierarchy) (string, error) {
	v1, v2 := 0, 0
	for _, h := range mounts {
		if h.v2 {
			v2++
		} else {
			v1++
		}
	}
	switch {
	case v1 == 0 && v2 == 0:
		return "", errors.New("none is mounted")
	case v1 == 0:
		return "v2", nil
	case v2 == 0:
		return fmt.Sprintf("v1, %d hierarchies", v1), nil
	}
	return fmt.Sprintf("hybrid: %d of v1, and v2", v1), nil
}

// group calls f with a group of our own below the hierarchy's root, and removes it.
func group(root string, f func(dir string) error) error {
	dir, err := os.MkdirTemp(root, "hull-doctor-")
	if err != nil {
		return named("mkdir", unwrapped(err))
	}
	defer unix.Rmdir(dir)
	return f(dir)
}

func unwrapped(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// controller makes a group and looks for the controller's file in it. On v2 a controller that the root may hand on, and has not yet, counts:
// the first container has it handed on.
func controller(mounts []hierarchy, name string, files [2]string) (detail string, err error) {
	v1 := name
	if name == "io" {
		v1 = "blkio"
	}
	for _, h := range mounts {
		if slices.Contains(h.controllers, v1) {
			return "v1, " + h.dir, group(h.dir, func(dir string) error {
				_, err := os.Stat(filepath.Join(dir, files[0]))
				return unwrapped(err)
			})
		}
	}
	for _, h := range mounts {
		if !h.v2 {
			continue
		}
		if name == "devices" { // there it is a BPF program
			return "v2, by BPF", bpfLoad(bpfCgroupDevice)
		}
		err := group(h.dir, func(dir string) error {
			_, err := os.Stat(filepath.Join(dir, files[1]))
			return unwrapped(err)
		})
		if err == nil {
			return "v2, " + h.dir, nil
		}
		offered, _ := os.ReadFile(filepath.Join(h.dir, "cgroup.controllers"))
		if slices.Contains(strings.Fields(string(offered)), name) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EROFS) {
			return "v2, " + h.dir, nil
		}
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EROFS) {
			return "", err
		}
	}
	return "", errors.New("in no mounted hierarchy")
}

func intoCgroup(mounts []hierarchy) error {
	for _, h := range mounts {
		if !h.v2 {
			continue
		}
		return group(h.dir, func(dir string) error {
			fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				return named("open", err)
			}
			defer unix.Close(fd)
			return clone(&syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd})
		})
	}
	return errors.New("no cgroup v2 is mounted")
}
