package spec

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// devices are the nodes that are made in the container's /dev, and the rules that let it use them.
func devices(h *container.HostConfig) (nodes []specs.LinuxDevice, rules []specs.LinuxDeviceCgroup, err error) {
	if h.Privileged {
		nodes = hostDevices("/dev", "/dev")
		rules = []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}
	} else {
		rules = allowedDevices()
	}
	for _, d := range h.Devices {
		if h.Privileged && d.PathOnHost == d.PathInContainer {
			continue // it is there already
		}
		if !isAccess(d.CgroupPermissions) {
			return nil, nil, invalid("invalid device permissions %q for %s", d.CgroupPermissions, d.PathOnHost)
		}
		if !filepath.IsAbs(d.PathInContainer) {
			return nil, nil, invalid("%s is not an absolute path", d.PathInContainer)
		}
		found, err := devicesAt(d.PathOnHost, d.PathInContainer)
		if err != nil {
			return nil, nil, err
		}
		nodes = append(nodes, found...)
		for _, n := range found {
			if !h.Privileged {
				rules = append(rules, specs.LinuxDeviceCgroup{Allow: true, Type: n.Type, Major: &n.Major, Minor: &n.Minor, Access: d.CgroupPermissions})
			}
		}
	}
	for _, text := range h.DeviceCgroupRules {
		rule, err := deviceRule(text)
		if err != nil {
			return nil, nil, err
		}
		if !h.Privileged {
			rules = append(rules, rule)
		}
	}
	return nodes, rules, nil
}

// allowedDevices is docker's device cgroup: nothing but the nodes that every program expects, and no fuse. The runtime adds the terminal's.
func allowedDevices() []specs.LinuxDeviceCgroup {
	number := func(n int64) *int64 { return &n }
	char := func(major, minor int64, allow bool) specs.LinuxDeviceCgroup {
		return specs.LinuxDeviceCgroup{Allow: allow, Type: "c", Major: number(major), Minor: number(minor), Access: "rwm"}
	}
	return []specs.LinuxDeviceCgroup{
		{Allow: false, Access: "rwm"},
		char(1, 5, true), char(1, 3, true), char(1, 9, true), char(1, 8, true), // zero, null, urandom, random
		char(5, 0, true), char(5, 1, true), // tty, console
		char(10, 229, false), // fuse
	}
}

// devicesAt is the device at a path of the host, or all those below it if it is a directory. Symbolic links are the host's own, and
// followed.
func devicesAt(host, inside string) ([]specs.LinuxDevice, error) {
	fail := func(err error) ([]specs.LinuxDevice, error) {
		return nil, &stages.Error{Kind: stages.Invalid, Err: errorf("error gathering device information while adding custom device %q: %w", host, err)}
	}
	path, err := filepath.EvalSymlinks(host)
	if err != nil {
		return fail(unwrapPath(err))
	}
	st, err := os.Stat(path)
	if err != nil {
		return fail(unwrapPath(err))
	}
	if st.IsDir() {
		if list := hostDevices(path, inside); len(list) > 0 {
			return list, nil
		}
	} else if d, ok := deviceFrom(path, inside); ok {
		return []specs.LinuxDevice{d}, nil
	}
	return fail(errorf("not a device node"))
}

// hostDevices are the character and block devices below a directory of the host; inside is what that is called in the container. What is
// another mount's business (terminals, shared memory) is left out.
func hostDevices(dir, inside string) (list []specs.LinuxDevice) {
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // it has just gone, or is somebody's mount that even root may not read
		case e.IsDir() && path != dir && slices.Contains([]string{"pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"}, e.Name()):
			return fs.SkipDir
		case e.Type()&fs.ModeDevice == 0 || path == "/dev/console":
			return nil
		}
		if d, ok := deviceFrom(path, inside+strings.TrimPrefix(path, dir)); ok {
			list = append(list, d)
		}
		return nil
	})
	return list
}

// deviceFrom describes a node as mknod(2) wants it.
func deviceFrom(path, inside string) (d specs.LinuxDevice, ok bool) {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil {
		return d, false
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFCHR:
		d.Type = "c"
	case unix.S_IFBLK:
		d.Type = "b"
	default:
		return d, false
	}
	mode := os.FileMode(st.Mode &^ unix.S_IFMT)
	d.Path, d.Major, d.Minor = filepath.Clean(inside), int64(unix.Major(st.Rdev)), int64(unix.Minor(st.Rdev))
	d.FileMode, d.UID, d.GID = &mode, &st.Uid, &st.Gid
	return d, true
}

// deviceRule reads "TYPE MAJOR:MINOR ACCESS", as the kernel's device list takes it (cgroup-v1/devices.rst).
func deviceRule(text string) (r specs.LinuxDeviceCgroup, err error) {
	fail := func() (specs.LinuxDeviceCgroup, error) {
		return r, invalid("invalid device cgroup rule format: '%s'", text)
	}
	part := strings.Split(text, " ")
	if len(part) != 3 || len(part[0]) != 1 || !strings.Contains("abc", part[0]) || !isAccess(part[2]) {
		return fail()
	}
	numbers := strings.Split(part[1], ":")
	if len(numbers) != 2 {
		return fail()
	}
	r = specs.LinuxDeviceCgroup{Allow: true, Type: part[0], Access: part[2]}
	for i, to := range []**int64{&r.Major, &r.Minor} {
		n := int64(-1) // any
		if numbers[i] != "*" {
			u, err := strconv.ParseUint(numbers[i], 10, 20)
			if err != nil {
				return fail()
			}
			n = int64(u)
		}
		*to = &n
	}
	return r, nil
}

func isAccess(s string) bool { return s != "" && len(s) <= 3 && strings.Trim(s, "rwm") == "" }
