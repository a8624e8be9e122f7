package rootfs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"hull/stages"

	"golang.org/x/sys/unix"
)

// checkCopyUp: what is copied is what the image has there. A tmpfs of the container that hides it has the same, if it is a copy itself, or
// nothing to copy: so podman has /run/lock on /run for a systemd. What any other mount has there is not known yet.
func (m *mount) checkCopyUp(before []mount) error {
	if m.Type != "tmpfs" || m.bind || m.remount {
		return errors.New("tmpcopyup is for a tmpfs")
	}
	for _, b := range before {
		switch {
		case b.remount || !covers(relative(b.Destination), relative(m.Destination)):
		case b.Type != "tmpfs" || b.bind:
			return unsupported("tmpcopyup below another mount, %s, is not offered: it copies what the image has", b.field)
		default:
			m.copyUp = m.copyUp && b.copyUp
		}
	}
	return nil
}

// covers reports whether a mount at the one path hides what the root has at the other.
func covers(over, what string) bool {
	return over == what || strings.HasPrefix(what, over+"/")
}

// makeCopyUp makes the tmpfs here, before the clone, and fills it with what the image has at its place. Nobody else sees the copy, which
// is attached nowhere yet; the original is read beneath the root's descriptor, directory by directory, and no link in it is followed: so
// nothing that is exchanged meanwhile can lead out of the image, or the copy anywhere else.
func (w *Wanted) makeCopyUp(m *mount) (err error) {
	defer func() {
		if err != nil {
			err = &stages.Error{Step: stages.RuncInitMounts, Kind: stages.Invalid, Thing: m.field + ": tmpcopyup", Err: err}
		}
	}()
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("fsopen: %w", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigSetString(fs, "source", cmp.Or(m.Source, "tmpfs")); err != nil { // what mountinfo shows; "none" otherwise
		return fmt.Errorf("fsconfig source: %w", err)
	}
	for _, d := range m.data {
		set := func() error { return unix.FsconfigSetFlag(fs, d.key) }
		if d.value != nil {
			set = func() error { return unix.FsconfigSetString(fs, d.key, *d.value) }
		}
		if err := set(); err != nil {
			return fmt.Errorf("fsconfig %s: %w", d.key, err)
		}
	}
	for _, flag := range m.superblock {
		if err := unix.FsconfigSetFlag(fs, flag); err != nil {
			return fmt.Errorf("fsconfig %s: %w", flag, err)
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return fmt.Errorf("fsconfig: %w", err)
	}
	mnt, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("fsmount: %w", err)
	}
	*m.made = int32(mnt)

	root, err := unix.Open(w.root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	rel := relative(m.Destination)
	from, err := unix.Openat2(root, rel, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: resolveFlags(rel)})
	if errors.Is(err, unix.ENOENT) {
		return nil // it will be made, and is empty
	} else if err != nil {
		return err
	}
	to, err := unix.Openat(mnt, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Close(from)
		return err
	}
	return copyDir(os.NewFile(uintptr(from), m.Destination), os.NewFile(uintptr(to), m.Destination))
}

// copyDir copies what is in a directory, and closes both.
func copyDir(from, to *os.File) error {
	defer from.Close()
	defer to.Close()
	for {
		entries, err := from.ReadDir(256)
		if err != nil && err != io.EOF {
			return err
		}
		for _, e := range entries {
			if err := copyEntry(from, to, e.Name()); err != nil {
				return fmt.Errorf("%s/%s: %w", from.Name(), e.Name(), err)
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// copyEntry copies one file of whatever type, with its owner, mode and times; not extended attributes, and a second name of a file becomes
// a second file, as under runc.
func copyEntry(from, to *os.File, name string) error {
	src, dst := int(from.Fd()), int(to.Fd())
	const noLink = unix.O_NOFOLLOW | unix.O_CLOEXEC
	var st unix.Stat_t
	if err := unix.Fstatat(src, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	perm := st.Mode & 0o7777
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		if err := unix.Mkdirat(dst, name, 0o700); err != nil {
			return err
		}
		in, err := unix.Openat(src, name, unix.O_RDONLY|unix.O_DIRECTORY|noLink, 0)
		if err != nil {
			return err
		}
		out, err := unix.Openat(dst, name, unix.O_RDONLY|unix.O_DIRECTORY|noLink, 0)
		if err != nil {
			unix.Close(in)
			return err
		}
		if err := copyDir(os.NewFile(uintptr(in), name), os.NewFile(uintptr(out), name)); err != nil {
			return err
		}
	case unix.S_IFREG:
		in, err := unix.Openat(src, name, unix.O_RDONLY|unix.O_NONBLOCK|noLink, 0) // a FIFO put in its place must not hold us up
		if err != nil {
			return err
		}
		r := os.NewFile(uintptr(in), name)
		defer r.Close()
		out, err := unix.Openat(dst, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|noLink, 0o600)
		if err != nil {
			return err
		}
		w := os.NewFile(uintptr(out), name)
		defer w.Close()
		if err := unix.Fstat(in, &st); err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT != unix.S_IFREG {
			return errors.New("it was exchanged meanwhile")
		}
		if _, err := io.Copy(w, io.LimitReader(r, st.Size)); err != nil {
			return err
		}
	case unix.S_IFLNK:
		target := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(src, name, target)
		if err != nil {
			return err
		}
		if err := unix.Symlinkat(string(target[:n]), dst, name); err != nil {
			return err
		}
	default:
		if err := unix.Mknodat(dst, name, st.Mode, int(st.Rdev)); err != nil {
			return err
		}
	}
	if err := unix.Fchownat(dst, name, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK { // fchmodat(2) would follow it; the mode of a link counts for nothing
		if err := unix.Fchmodat(dst, name, perm, 0); err != nil { // after the owner, whose change clears set-user-ID
			return err
		}
	}
	return unix.UtimesNanoAt(dst, name, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}
