package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"hull/runc/confine"
	"hull/runc/linux"
	"hull/runc/namespace"
	"hull/runc/process"
	"hull/runc/rootfs"
	"hull/stages"
	"hull/trace/span"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What a user namespace changes. The first process is born in it with all rights over it and none over the host; until its maps are
// written it is nobody in there, and until it becomes uid 0 of it, it is still the caller to the host's files. So it asks us for what only
// the host can do, takes what is the host's, and only then becomes root.

// hasUsers reports whether the container has a user namespace that is not ours.
func (t *initTable) hasUsers() bool { return t.namespaces.Own[specs.UserNamespace] }

// inUsers is the same of a process that joins, too.
func (t *initTable) inUsers() bool { return t.hasUsers() || t.flags&unix.CLONE_NEWUSER != 0 }

// askOutside: before anything is done as somebody of the namespace.
func (t *initTable) askOutside() error {
	t.p.At(stages.None, "wait for the maps")
	t.p.Hold(linux.Cell(t.asking[0]), linux.Cell(t.asking[1]))
	return nil
}

// fromOutside does for the child, which waits, what it has no right to do itself; then it lets it go on.
func (t *initTable) fromOutside(ctx context.Context, pid int) error {
	if t.namespaces.New&unix.CLONE_NEWUSER != 0 {
		if err := t.writeMaps(ctx, pid); err != nil {
			return err
		}
	}
	raises, err := confine.Raises(t.spec.Process.Rlimits)
	if err != nil {
		return err
	}
	for _, r := range raises {
		if err := unix.Prlimit(pid, r.Resource, &r.Limit, nil); err != nil {
			return &stages.Error{Step: stages.RuncInitRlimits, Kind: stages.Denied, Thing: "process.rlimits", Err: fmt.Errorf("prlimit64: %w", err)}
		}
	}
	if adj := t.spec.Process.OOMScoreAdj; adj != nil {
		file := fmt.Sprintf("/proc/%d/oom_score_adj", pid)
		if err := os.WriteFile(file, []byte(strconv.Itoa(*adj)), 0); errors.Is(err, unix.EACCES) {
			t.warn("process.oomScoreAdj: " + err.Error())
		} else if err != nil {
			return &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Internal, Thing: "process.oomScoreAdj", Err: err}
		}
	}
	if uid, ok := t.namespaces.Users.UIDs.Host(t.spec.Process.User.UID); ok && !t.spec.Process.Terminal {
		if err := process.GiveStdio(uid); err != nil {
			return err
		}
	}
	return linux.Release(t.asking[1])
}

func (t *initTable) writeMaps(ctx context.Context, pid int) (err error) {
	_, sp := span.Start(ctx, stages.RuncNsUsermap)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	if err := t.namespaces.WriteMaps(pid); err != nil {
		e := &stages.Error{Step: stages.RuncNsUsermap, Kind: stages.Internal, Err: err}
		if errors.Is(err, unix.EPERM) {
			e.Kind, e.Hint = stages.Denied, "are all host ids of the mappings ours to give?"
		}
		return e
	}
	return nil
}

// becomeRoot: what is made from here on belongs to the namespace's root.
func (t *initTable) becomeRoot() error {
	t.namespaces.Users.Root(t.p)
	if t.namespaces.New&unix.CLONE_NEWIPC != 0 {
		t.p.Do(linux.Unshare(unix.CLONE_NEWIPC))
	}
	return nil
}

// shieldsLater: an ordinary user's first process is shielded only when its maps are there and its hooks have run, because from then on its
// files in /proc, the maps and the namespaces among them, are the host's root's (proc_pid(5)). Until then nobody else is in its user
// namespace, and so nobody has a right over it.
func (t *initTable) shieldsLater() bool {
	return os.Geteuid() != 0 && t.namespaces.New&unix.CLONE_NEWUSER != 0
}

// ownsCgroup reports whether the container may make groups of its own: it sees its cgroup as the root, and can write there.
func (t *initTable) ownsCgroup() bool {
	return t.hasUsers() && t.namespaces.New&unix.CLONE_NEWCGROUP != 0 && slices.ContainsFunc(t.spec.Mounts, func(m specs.Mount) bool {
		return (m.Type == "cgroup" || m.Type == "cgroup2") && !slices.Contains(m.Options, "ro")
	})
}

// anyProc is a procfs for our own use: one that is mounted nowhere. A user namespace may mount it only for a pid namespace that it owns;
// without one it is the host's, which is no image's either.
func (t *initTable) anyProc() *int32 {
	if !t.hasUsers() || t.namespaces.New&unix.CLONE_NEWPID != 0 {
		return rootfs.PrivateProc(t.p, t.root)
	}
	t.p.At(stages.None, "the host's procfs")
	proc := linux.Cell(-1)
	t.p.Do(linux.Openat(linux.Cwd(), "/proc", unix.O_PATH|unix.O_DIRECTORY, proc))
	return proc
}

// checkIDs refuses ids that are in none of the mappings: nobody could be them.
func checkIDs(spec *specs.Spec, users namespace.Users) error {
	refuse := func(field, mapping string, id uint32) error {
		return &stages.Error{Step: stages.RuncNsUsermap, Kind: stages.Invalid, Thing: field, Err: fmt.Errorf("%d is not in linux.%s", id, mapping)}
	}
	if err := checkUser(spec.Process.User, users, stages.RuncNsUsermap); err != nil {
		return err
	}
	for i, m := range spec.Mounts {
		for _, opt := range m.Options {
			field := fmt.Sprintf("mounts[%d] %s: option %s", i, m.Destination, opt)
			for key, side := range map[string]struct {
				ids  namespace.IDMap
				name string
			}{"uid": {users.UIDs, "uidMappings"}, "gid": {users.GIDs, "gidMappings"}} {
				value, ok := strings.CutPrefix(opt, key+"=")
				if !ok {
					continue
				}
				id, err := strconv.ParseUint(value, 10, 32)
				if err != nil {
					continue // the file system says what is wrong with it
				}
				if _, ok := side.ids.Host(uint32(id)); !ok {
					return refuse(field, side.name, uint32(id))
				}
			}
		}
	}
	return nil
}

// checkUser holds a process's ids against the mappings.
func checkUser(u specs.User, users namespace.Users, step stages.ID) error {
	refuse := func(field string, err error) error {
		return &stages.Error{Step: step, Kind: stages.Invalid, Thing: field, Err: err}
	}
	if _, ok := users.UIDs.Host(u.UID); !ok {
		return refuse("process.user.uid", fmt.Errorf("%d is not in linux.uidMappings", u.UID))
	}
	if _, ok := users.GIDs.Host(u.GID); !ok {
		return refuse("process.user.gid", fmt.Errorf("%d is not in linux.gidMappings", u.GID))
	}
	for i, g := range u.AdditionalGids {
		if _, ok := users.GIDs.Host(g); !ok {
			return refuse(fmt.Sprintf("process.user.additionalGids[%d]", i), fmt.Errorf("%d is not in linux.gidMappings", g))
		}
	}
	if users.NoGroups && len(u.AdditionalGids) > 0 {
		return refuse("process.user.additionalGids", errors.New("the user namespace denies setgroups(2): cannot set any additional groups in a rootless container"))
	}
	return nil
}
