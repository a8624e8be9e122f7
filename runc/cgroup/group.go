package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/stages"
	"hull/trace/span"
)

// A Member is the container's directory in one hierarchy.
type Member struct {
	Controller string `json:"controller"` // v1: "memory", "cpu,cpuacct", "name=systemd"; v2: the controllers enabled for it, may be ""
	Version    int    `json:"version"`    // 1 or 2
	Dir        string `json:"dir"`        // absolute
}

// A Group is one container's place in all hierarchies. It is what the runtime's state keeps of them.
type Group struct {
	Members []Member `json:"members"`
}

// Create makes the group cgroupsPath (OCI runtime-spec, config-linux.md, Cgroups Path) in every hierarchy that is mounted, and writes
// the limits r while it is still empty: a process that joined first could be over a limit before the limit exists.
//
// A limit that cannot be had is an error that names the controller and the file; warnings are for what nobody asked for. A group of
// that name with processes in it is a conflict. After an error nothing that Create made is left.
func Create(ctx context.Context, cgroupsPath string, r *specs.LinuxResources) (g *Group, warnings []string, err error) {
	return makeGroup(ctx, cgroupsPath, r, false)
}

// CreateWhereAllowed is [Create] for an ordinary user, who can make no device node (mknod(2)): a hierarchy in which it may make no group is
// left out, unless a limit needs it, and devices are limited only if the specification says so. The group may then be in none at all.
func CreateWhereAllowed(ctx context.Context, cgroupsPath string, r *specs.LinuxResources) (g *Group, warnings []string, err error) {
	return makeGroup(ctx, cgroupsPath, r, true)
}

func makeGroup(ctx context.Context, cgroupsPath string, r *specs.LinuxResources, optional bool) (g *Group, warnings []string, err error) {
	fail := func(kind stages.Kind, err error) error {
		return &stages.Error{Step: stages.RuncCgroupCreate, Kind: kind, Thing: cgroupsPath, Err: err}
	}
	names, absolute, err := components(cgroupsPath)
	if err != nil {
		return nil, nil, fail(stages.Invalid, err)
	}
	all, err := detect()
	if err != nil {
		return nil, nil, fail(stages.Internal, err)
	}
	if len(all) == 0 && !optional {
		return nil, nil, fail(stages.Unavailable, errors.New("no cgroup hierarchy is mounted"))
	}
	limits, err := plan(all, r)
	if asked := r != nil && len(r.Devices) > 0; err == nil && (asked || !optional) {
		err = limits.planDevices(all, r)
	}
	if err != nil {
		return nil, nil, err
	}

	g = &Group{}
	b := builder{wanted: wanted(all, limits), refused: map[string]error{}}
	defer func() {
		if err != nil {
			b.undo(0)
			g = nil
		}
	}()
	var built []hierarchy
	for _, h := range all {
		before := len(b.made)
		m, err := b.build(ctx, h, h.below(names, absolute))
		if err == nil && optional {
			err = joinable(h, m)
		}
		if optional && stages.KindOf(err) == stages.Denied && err != nil {
			b.undo(before)
			if err := limits.without(h, err); err != nil {
				return g, nil, err
			}
			warnings = append(warnings, fmt.Sprintf("no cgroup in %s: %v", h, err))
			continue
		}
		if err != nil {
			return g, nil, err
		}
		built = append(built, h)
		g.Members = append(g.Members, m)
	}
	w, err := g.limit(ctx, built, limits, b.refused)
	return g, append(append(warnings, b.warnings(limits)...), w...), err
}

// joinable tells whether this user may also move a process into the v2 group that it has just made: for that it must be able to write
// cgroup.procs of the directory above both places (cgroup-v2.rst, "Delegation Containment").
func joinable(h hierarchy, m Member) error {
	if h.version != 2 {
		return nil
	}
	procs := path.Join(path.Dir(m.Dir), "cgroup.procs")
	if err := unix.Access(procs, unix.W_OK); err != nil {
		return &stages.Error{Step: stages.RuncCgroupCreate, Kind: stages.Denied, Thing: procs, Err: err}
	}
	return nil
}

// without says which of the limits cannot be had where there is no group in the hierarchy.
func (l limits) without(h hierarchy, why error) error {
	for _, row := range l.rows {
		if slices.Contains(h.controllers, row.controller) {
			return cannot(stages.Denied, row.controller, row.file, why)
		}
	}
	if len(l.devices) > 0 && h.version == 2 {
		return cannot(stages.Denied, "devices", "linux.resources.devices", why)
	}
	return nil
}

// wanted lists the controllers to enable on v2: those with a limit, and those whose counters a user expects to see.
func wanted(all []hierarchy, l limits) []string {
	list := []string{"cpu", "memory", "pids", "io"}
	for _, row := range l.rows {
		if h := find(all, row.controller); h != nil && h.version == 2 && !slices.Contains(list, row.controller) {
			list = append(list, row.controller)
		}
	}
	return list
}

// Procs opens cgroup.procs of each v1 hierarchy for writing. The container's first process writes "0" into each, which means "me":
// nobody else could name it without a race, and its pid in its new namespace would be another one. The caller closes them.
func (g *Group) Procs() (files []*os.File, err error) {
	for _, m := range g.Members {
		if m.Version != 1 {
			continue
		}
		f, err := openFile(m.Dir, "cgroup.procs", unix.O_WRONLY)
		if err != nil {
			for _, f := range files {
				f.Close()
			}
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// Into is the v2 directory, for clone3(2) with CLONE_INTO_CGROUP (Linux 5.7): the process is born in the group and was never outside.
// It is nil if there is no v2 hierarchy. The caller closes it.
func (g *Group) Into() (*os.File, error) {
	if m := g.unified(); m != nil {
		return openDir(m.Dir)
	}
	return nil, nil
}

// Delegate gives the v2 group to a user, who may then make groups below it and move processes among them: the directory, and those of its
// files that the kernel names for it (cgroup-v2.rst, "Delegation"; OCI runtime-spec, config-linux.md, Cgroup ownership). The limits stay
// ours. A v1 group is never given away: whoever owns one can change its limits.
func (g *Group) Delegate(uid int) error {
	m := g.unified()
	if m == nil {
		return nil
	}
	text, err := os.ReadFile("/sys/kernel/cgroup/delegate") // Linux 4.15
	if err != nil {
		text = []byte("cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n")
	}
	dir, err := openDir(m.Dir)
	if err != nil {
		return cannot(kindOf(err), "cgroup", m.Dir, err)
	}
	defer dir.Close()
	for _, file := range append(strings.Fields(string(text)), ".") {
		err := unix.Fchownat(int(dir.Fd()), file, uid, -1, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil && err != unix.ENOENT { // a file of a controller that the group has not
			return cannot(kindOf(err), "cgroup", path.Join(m.Dir, file), fmt.Errorf("fchownat: %w", err))
		}
	}
	return nil
}

// IntoOf is the v2 directory that the process is in, if that is the group or below it; else nil. A group that has handed its
// controllers on to groups below takes no processes of its own (cgroup-v2.rst, "No Internal Process Constraint"): clone3(2) then answers
// EBUSY, and a process joins where the container's first one is.
func (g *Group) IntoOf(pid int) (*os.File, error) {
	m := g.unified()
	if m == nil {
		return nil, nil
	}
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	its, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return nil, err
	}
	all, err := parse(string(mountinfo), string(its))
	if err != nil {
		return nil, err
	}
	for _, h := range all {
		dir := path.Join(h.mount, strings.TrimPrefix(h.own, strings.TrimSuffix(h.root, "/")))
		if h.version == 2 && (dir == m.Dir || strings.HasPrefix(dir, m.Dir+"/")) {
			return openDir(dir)
		}
	}
	return nil, nil
}

// unified is the v2 member, or nil.
func (g *Group) unified() *Member { return g.member(func(m Member) bool { return m.Version == 2 }) }

func (g *Group) member(is func(Member) bool) *Member {
	if i := slices.IndexFunc(g.Members, is); i >= 0 {
		return &g.Members[i]
	}
	return nil
}

// openFile opens one of a group's files by the group's path.
func openFile(dir, file string, flags uint64) (*os.File, error) {
	d, err := openDir(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return openIn(d, file, flags)
}

// A builder makes directories and remembers them, so that a failure can be undone.
type builder struct {
	wanted  []string         // controllers to enable on v2
	refused map[string]error // v2: why one could not be enabled
	made    []string         // parents before children
}

// build makes one hierarchy's directories, from the mount point down.
func (b *builder) build(ctx context.Context, h hierarchy, names []string) (m Member, err error) {
	_, sp := span.Start(ctx, stages.RuncCgroupCreate)
	sp.Instance(h.String())
	sp.Set("cgroup.path", path.Join(append([]string{h.mount}, names...)...))
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return m, err
	}
	for try := 0; ; try++ {
		m, err = b.descend(h, names)
		// ENOENT: a parent vanished between two of our calls, because another container's failed create took back what it had made.
		if err == nil || try == 10 || !errors.Is(err, unix.ENOENT) {
			break
		}
	}
	if err != nil {
		kind := stages.Internal
		switch {
		case errors.Is(err, errOccupied):
			kind = stages.Conflict
		case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS):
			kind = stages.Denied
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EAGAIN):
			kind = stages.Exhausted // cgroup.max.depth and cgroup.max.descendants answer EAGAIN
		}
		return m, &stages.Error{Step: stages.RuncCgroupCreate, Kind: kind, Thing: h.String(), Err: err}
	}
	return m, nil
}

func (b *builder) descend(h hierarchy, names []string) (Member, error) {
	m := Member{Version: h.version, Controller: h.String()}
	dir, err := openDir(h.mount)
	if err != nil {
		return m, err
	}
	defer func() { dir.Close() }()
	for i, name := range names {
		if h.version == 2 {
			b.enable(dir, h.controllers)
		}
		if err := b.mkdir(dir, name, i == len(names)-1); err != nil {
			return m, err
		}
		child, err := openIn(dir, name, unix.O_RDONLY|unix.O_DIRECTORY)
		if err != nil {
			return m, err
		}
		if h.version == 1 && slices.Contains(h.controllers, "cpuset") {
			err = inheritCpuset(dir, child)
		}
		dir.Close()
		dir = child
		if err != nil {
			return m, err
		}
	}
	m.Dir = dir.Name()
	if h.version == 2 {
		m.Controller, err = enabled(dir)
	}
	return m, err
}

// errOccupied is a group of the wanted name that is somebody's.
var errOccupied = errors.New("a group of that name exists and is in use")

// mkdir makes one directory. The last one, the container's own, must be new, so that it has no limits but ours: an empty one that is
// left from a crash is replaced, one in use is refused.
func (b *builder) mkdir(dir *os.File, name string, last bool) error {
	label := path.Join(dir.Name(), name)
	err := unix.Mkdirat(int(dir.Fd()), name, 0o755)
	if err == unix.EEXIST && last {
		if err := unix.Unlinkat(int(dir.Fd()), name, unix.AT_REMOVEDIR); err != nil {
			return &os.PathError{Op: "mkdir", Path: label, Err: errOccupied}
		}
		err = unix.Mkdirat(int(dir.Fd()), name, 0o755)
	}
	switch err {
	case nil:
		b.made = append(b.made, label)
		return nil
	case unix.EEXIST:
		return nil
	}
	return &os.PathError{Op: "mkdir", Path: label, Err: err}
}

// undo removes what was made, from the place in the list on, children first. A parent that another container uses by now stays: rmdir(2)
// refuses it.
func (b *builder) undo(from int) {
	for _, dir := range slices.Backward(b.made[from:]) {
		removeDir(dir)
	}
	b.made = b.made[:from]
}
