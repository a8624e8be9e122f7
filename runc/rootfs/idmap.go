package rootfs

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"hull/runc/linux"
	"hull/runc/namespace"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// An idmap shows the owners of a mount's files as others: who is 0 in the file system is 100000 in the mount, with a mapping of 0 to
// 100000. The files stay as they are (mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12). The kernel takes the mapping from a user
// namespace.
type idmap struct {
	uids, gids namespace.IDMap
	namespace  string // instead: the user namespace at this path
}

// checkIDs reads the mount's mapping. An option that asks for one without saying which means the container's own.
func (m *mount) checkIDs(spec *specs.Spec) error {
	given := len(m.UIDMappings) > 0 || len(m.GIDMappings) > 0
	switch {
	case !given && !m.idmap:
		return nil
	case !m.bind || m.remount:
		return unsupported("uidMappings, gidMappings, idmap and ridmap are offered for bind mounts only")
	case given && (len(m.UIDMappings) == 0 || len(m.GIDMappings) == 0):
		return errors.New("uidMappings and gidMappings come together")
	case given:
		m.ids = &idmap{uids: m.UIDMappings, gids: m.GIDMappings}
	default:
		for _, n := range spec.Linux.Namespaces {
			if n.Type == specs.UserNamespace {
				m.ids = &idmap{uids: spec.Linux.UIDMappings, gids: spec.Linux.GIDMappings, namespace: n.Path}
			}
		}
		if m.ids == nil {
			return errors.New("idmap needs uidMappings and gidMappings: the container has no user namespace whose it could take")
		}
	}
	if m.ids.namespace != "" {
		return nil
	}
	if thing, err := m.ids.uids.Check("uidMappings"); err != nil {
		return fmt.Errorf("%s: %w", thing, err)
	}
	if thing, err := m.ids.gids.Check("gidMappings"); err != nil {
		return fmt.Errorf("%s: %w", thing, err)
	}
	return nil
}

// makeIDMapped takes the copy of the source here, before the clone: a process inside a user namespace may not map the ids of a file system
// that belongs to the host. The copy leaves our own mounts' peer groups at once, unless it is to stay tied.
func (m *mount) makeIDMapped() error {
	refuse := func(call string, err error, hint string) error {
		return &stages.Error{Step: stages.RuncInitMounts, Kind: stages.Invalid, Thing: m.field + ": uidMappings, gidMappings", Err: fmt.Errorf("%s: %w", call, err), Hint: hint}
	}
	userns, err := m.ids.open()
	if err != nil {
		return refuse("make a user namespace with them", err, "")
	}
	defer userns.Close()
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
	if m.recursive {
		flags |= unix.AT_RECURSIVE
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, m.source, flags)
	if err != nil {
		return refuse("open_tree", err, "")
	}
	*m.made = int32(fd)
	below := uint(unix.AT_EMPTY_PATH)
	if m.idmapBelow {
		below |= unix.AT_RECURSIVE
	}
	if err := unix.MountSetattr(fd, "", below, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(userns.Fd())}); err != nil {
		return refuse("mount_setattr", err, "the file system must know of such mounts: ext4, xfs, btrfs and tmpfs do, an overlay does not")
	}
	if !m.tied() {
		if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{Propagation: unix.MS_PRIVATE}); err != nil {
			return refuse("mount_setattr", err, "")
		}
	}
	return nil
}

// open opens a user namespace with the mapping. A namespace lives as long as something is in it or holds it open: so a child is born in a
// new one, waits until the maps are written and the namespace is open here, and ends.
func (ids *idmap) open() (*os.File, error) {
	if ids.namespace != "" {
		return os.Open(ids.namespace)
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	defer unix.Close(pipe[0])
	p := linux.New(-1)
	p.Do(linux.Close(linux.Num(pipe[1])), linux.Read(linux.Num(pipe[0])), linux.GiveUp(unix.ECANCELED)) // the end of the pipe is the end of the child
	pid, pidfd, err := p.Spawn(unix.CLONE_NEWUSER, -1)
	if err != nil {
		unix.Close(pipe[1])
		return nil, err
	}
	defer func() {
		unix.Close(pipe[1])
		linux.Retry(func() (int, error) { return unix.Wait4(pid, nil, 0, nil) })
		unix.Close(pidfd)
	}()
	proc := "/proc/" + strconv.Itoa(pid)
	for file, ids := range map[string]namespace.IDMap{"/uid_map": ids.uids, "/gid_map": ids.gids} {
		if err := os.WriteFile(proc+file, []byte(ids.String()), 0); err != nil {
			return nil, err
		}
	}
	return os.Open(proc + "/ns/user")
}
