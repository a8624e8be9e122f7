package rootfs

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// An idmap shows the owners of a mount's files as others: who is 0 in the file system is 100000 in the mount, with a mapping of 0 to
// 100000. The files stay as they are (mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12). The kernel takes the mapping from a user
// namespace.
type idmap struct {
	uids, gids []specs.LinuxIDMapping
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
	if err := checkMapping("uidMappings", m.ids.uids); err != nil {
		return err
	}
	return checkMapping("gidMappings", m.ids.gids)
}

// checkMapping refuses what the kernel would, by name (user_namespaces(7)).
func checkMapping(field string, list []specs.LinuxIDMapping) error {
	const most = 340 // lines, Linux 4.15
	if len(list) > most {
		return fmt.Errorf("%s: %d of them, and the kernel takes %d", field, len(list), most)
	}
	for i, a := range list {
		if a.Size == 0 || uint64(a.ContainerID)+uint64(a.Size) > 1<<32-1 || uint64(a.HostID)+uint64(a.Size) > 1<<32-1 {
			return fmt.Errorf("%s[%d]: no ids, or more than there are", field, i)
		}
		for _, b := range list[:i] {
			if overlap(a.ContainerID, a.Size, b.ContainerID, b.Size) || overlap(a.HostID, a.Size, b.HostID, b.Size) {
				return fmt.Errorf("%s[%d]: it overlaps an earlier one", field, i)
			}
		}
	}
	return nil
}

func overlap(a, na, b, nb uint32) bool {
	return uint64(a) < uint64(b)+uint64(nb) && uint64(b) < uint64(a)+uint64(na)
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
	for file, list := range map[string][]specs.LinuxIDMapping{"/uid_map": ids.uids, "/gid_map": ids.gids} {
		if err := os.WriteFile(proc+file, []byte(lines(list)), 0); err != nil {
			return nil, err
		}
	}
	return os.Open(proc + "/ns/user")
}

// lines is the mapping as the kernel reads it: id inside, id outside, how many (user_namespaces(7)).
func lines(list []specs.LinuxIDMapping) string {
	var b strings.Builder
	for _, m := range list {
		fmt.Fprintf(&b, "%d %d %d\n", m.ContainerID, m.HostID, m.Size)
	}
	return b.String()
}
