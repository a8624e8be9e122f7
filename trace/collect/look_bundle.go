package collect

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hull/stages"

	"github.com/moby/sys/mountinfo"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// lookAtBundle reads what must be there when the runtime begins: the bundle, its root file system, the shim's streams, the daemon's record.
func (c *collector) lookAtBundle(r *run) {
	t := &r.target
	if t.unknown != "" {
		for _, s := range []stages.State{stages.StateBundle, stages.StateBundleRootfs, stages.StateBundleConfig, stages.StateSnapshot, stages.StateContainerRecord} {
			r.unread(s, "%s", t.unknown)
		}
		c.lookAtStdio(r)
		return
	}
	isDir := func(state stages.State, path string) {
		info, err := os.Stat(path)
		r.sawWhile(t.creator, state, err == nil && info.IsDir(), "%s: %s", path, found(err))
	}
	isDir(stages.StateBundle, t.bundle)
	isDir(stages.StateBundleRootfs, filepath.Join(t.bundle, "rootfs"))
	spec, err := readSpec(t.bundle)
	t.spec = spec
	t.rootfs = filepath.Join(t.bundle, "rootfs") // its usual place, if nobody can say
	if err == nil && spec.Root != nil {
		t.rootfs = spec.Root.Path
		if !filepath.IsAbs(t.rootfs) {
			t.rootfs = filepath.Join(t.bundle, t.rootfs)
		}
	}
	switch {
	case err != nil:
		r.sawWhile(t.creator, stages.StateBundleConfig, false, "%s", err)
	case spec.Process == nil || len(spec.Process.Args) == 0:
		r.saw(stages.StateBundleConfig, false, "%s/config.json names no program", t.bundle)
	default:
		r.saw(stages.StateBundleConfig, true, "%s/config.json: args %q", t.bundle, clip(strings.Join(spec.Process.Args, " "), 120))
	}
	c.lookAtSnapshot(r)
	c.lookAtStdio(r)
	c.lookAtRecord(r)
	c.lookAtNetwork(r, spec)
}

func found(err error) string {
	if err != nil {
		return err.Error()
	}
	return "it is there"
}

func readSpec(bundle string) (*specs.Spec, error) {
	text, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if err != nil {
		return nil, err
	}
	var spec specs.Spec
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("%s/config.json: %w", bundle, err)
	}
	return &spec, nil
}

// lookAtSnapshot asks the runtime's own mount table for the container's writable layer: the upper directory of the overlay on the bundle's
// rootfs.
func (c *collector) lookAtSnapshot(r *run) {
	rootfs := filepath.Join(r.target.bundle, "rootfs")
	f, err := os.Open(fmt.Sprintf("/proc/%d/mountinfo", r.target.creator.PID))
	if err != nil {
		r.unread(stages.StateSnapshot, "read too late: pid %d, whose mount table shows it, had ended", r.target.creator.PID)
		return
	}
	defer f.Close()
	mounts, err := mountinfo.GetMountsFromReader(f, mountinfo.SingleEntryFilter(rootfs))
	if err != nil || len(mounts) == 0 {
		r.sawWhile(r.target.creator, stages.StateSnapshot, false, "nothing is mounted on %s", rootfs)
		return
	}
	for _, opt := range strings.Split(mounts[0].VFSOptions, ",") {
		if upper, ok := strings.CutPrefix(opt, "upperdir="); ok {
			_, err := os.Stat(upper)
			r.sawWhile(r.target.creator, stages.StateSnapshot, err == nil, "upper directory %s: %s", upper, found(err))
			return
		}
	}
	r.saw(stages.StateSnapshot, false, "%s on %s has no upper directory", mounts[0].FSType, rootfs)
}

// lookAtStdio asks /proc which streams the shim holds.
func (c *collector) lookAtStdio(r *run) {
	shim := r.target.shim
	dir := fmt.Sprintf("/proc/%d/fd", shim.PID)
	held, err := streamIn(dir)
	switch {
	case err != nil || startOf(shim.PID) != shim.Start:
		r.unread(stages.StateStdio, "read too late: the runtime's parent, pid %d, had ended", shim.PID)
	case held == "":
		r.sawWhile(r.target.creator, stages.StateStdio, false, "pid %d holds no FIFO, pipe, terminal or log", shim.PID)
	default:
		r.saw(stages.StateStdio, true, "pid %d holds %s", shim.PID, held)
	}
}

// streamIn finds a container's stream in a /proc/PID/fd directory: a FIFO, a pipe, a terminal's master, or the log file. The process's own
// three streams do not count.
func streamIn(dir string) (string, error) {
	fds, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, fd := range fds {
		if number, err := strconv.Atoi(fd.Name()); err != nil || number <= 2 {
			continue
		}
		to, err := os.Readlink(filepath.Join(dir, fd.Name()))
		if err != nil {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, fd.Name()))
		if err == nil && (info.Mode()&os.ModeNamedPipe != 0 || strings.HasSuffix(to, "-json.log") || strings.HasSuffix(to, "/ptmx")) {
			return to, nil
		}
	}
	return "", nil
}
