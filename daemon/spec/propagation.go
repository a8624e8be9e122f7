package spec

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/moby/api/types/mount"
)

// propagates checks the binds that are to see later mounts of the host's: their source must be on a mount that tells of them
// (mount_namespaces(7), "shared" and "slave"). On a private one the option would do nothing, and nobody would say so.
func propagates(points []point) error {
	for _, p := range points {
		if !isSlave(p.Propagation) {
			continue
		}
		at, tells, err := mountOf(p.Source)
		if err != nil {
			return invalid("%s: %w", p.Source, err)
		}
		if !tells {
			return invalid("path %s is mounted on %s but it is not a shared or slave mount", p.Source, at)
		}
	}
	return nil
}

func isSlave(p mount.Propagation) bool {
	return p == mount.PropagationSlave || p == mount.PropagationRSlave
}

// mountOf is the mount point that the path is below, and whether events reach it.
func mountOf(path string) (at string, tells bool, err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", false, err
	}
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		before, _, _ := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(before)
		if len(fields) < 6 {
			continue
		}
		point := unescape.Replace(fields[4])
		below := point == "/" || path == point || strings.HasPrefix(path, point+"/")
		if below && len(point) >= len(at) { // the later of two on one place covers the other
			at, tells = point, strings.Contains(strings.Join(fields[6:], " "), "shared:") || strings.Contains(strings.Join(fields[6:], " "), "master:")
		}
	}
	return at, tells, lines.Err()
}
