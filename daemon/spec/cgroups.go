package spec

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// cgroups is which controller this machine has in which version of cgroups: a limit that cannot be had is refused at create, by name, and
// not at start with an errno. It is read once: hierarchies do not come and go while a machine is up.
type cgroups struct {
	v1 map[string]string // controller → mount point
	v2 []string          // the controllers that cgroup v2 has
}

var machine = sync.OnceValue(func() cgroups {
	c := cgroups{v1: map[string]string{}}
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return c
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// proc_pid_mountinfo(5): … MOUNTPOINT OPTIONS … - TYPE SOURCE SUPERBLOCK-OPTIONS
		place, fs, _ := strings.Cut(lines.Text(), " - ")
		before, after := strings.Fields(place), strings.Fields(fs)
		if len(before) < 5 || len(after) < 3 {
			continue
		}
		switch after[0] {
		case "cgroup":
			for _, name := range strings.Split(after[2], ",") {
				c.v1[name] = before[4]
			}
		case "cgroup2":
			text, _ := os.ReadFile(filepath.Join(before[4], "cgroup.controllers"))
			c.v2 = strings.Fields(string(text))
		}
	}
	return c
})

// version is which version has the controller, by its names on both: 1, 2, or 0 for neither.
func (c cgroups) version(v1, v2 string) int {
	switch {
	case c.v1[v1] != "":
		return 1
	case slices.Contains(c.v2, v2):
		return 2
	}
	return 0
}

// offers reports whether a limit can be had: on v1 its file tells, on v2 the controller (the root has no files of it). An empty file is one
// that the version does not have.
func (c cgroups) offers(controller, v1File, v2File string) bool {
	v2 := controller
	if controller == "blkio" {
		v2 = "io"
	}
	switch c.version(controller, v2) {
	case 1:
		_, err := os.Stat(filepath.Join(c.v1[controller], v1File))
		return v1File != "" && err == nil
	case 2:
		return v2File != ""
	}
	return false
}

// unified reports whether cgroup v2 is all there is.
func (c cgroups) unified() bool { return len(c.v1) == 0 }

// swapLimit reports whether this kernel's memory controller can limit swap.
func swapLimit() bool {
	return machine().offers("memory", "memory.memsw.limit_in_bytes", "memory.swap.max")
}
