package rootfs

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxEntries bounds what one archive may make.
const maxEntries = 1_000_000

// ExtractOptions are docker's.
type ExtractOptions struct {
	KeepKinds bool // a directory is not replaced by a file, nor a file by a directory
	Owner     *Owner
}

// An Owner is whom everything is given to; without one the archive says.
type Owner struct{ UID, GID int }

// ErrNotDirectory says that an archive can only be unpacked into a directory.
var ErrNotDirectory = errors.New("extraction point is not a directory")

// ErrArchive says that an archive is not one, or holds what is not taken.
var ErrArchive = errors.New("archive")

// Extract unpacks a tar into a directory of the container. An entry's name is resolved below that directory, and links in it inside the
// root, as a program in the container would; nothing is made through a link in its last component, and a name with .. in it, or an absolute
// link target that the archive itself would have to follow, leads nowhere outside. What was made before an error stays, as with tar(1).
func (r *Root) Extract(ctx context.Context, name string, archive io.Reader, o ExtractOptions) error {
	at := clean(name)
	dir, err := r.open(at, unix.O_PATH)
	if err != nil {
		return &fs.PathError{Op: "open", Path: at, Err: err}
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: at, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return ErrNotDirectory
	}
	u := &unpacker{root: r, at: at, o: o}
	t := tar.NewReader(contextReader{ctx, archive})
	for count := 0; ; count++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return u.times()
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrArchive, err)
		}
		if count >= maxEntries {
			return fmt.Errorf("%w: more than %d entries", ErrArchive, maxEntries)
		}
		if err := u.entry(h, t); err != nil {
			return fmt.Errorf("%w: entry %q: %w", ErrArchive, h.Name, err)
		}
	}
}

// An unpacker is one archive on its way in.
type unpacker struct {
	root *Root
	at   string // the directory, as the container names it
	o    ExtractOptions
	dirs []dirTime
}

// dirTime is a directory's time, which is set when nothing is put into it any more.
type dirTime struct {
	name string
	at   time.Time
}

// entry makes one entry.
func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	name := path.Clean("/" + h.Name)
	for _, part := range strings.Split(h.Name, "/") {
		if part == ".." {
			return errors.New("a name with a .. in it")
		}
	}
	if strings.IndexByte(h.Name, 0) >= 0 || strings.IndexByte(h.Linkname, 0) >= 0 {
		return errors.New("a NUL in a name")
	}
	if name == "/" { // the directory itself: it is there
		if h.Typeflag != tar.TypeDir {
			return errors.New("the directory itself cannot be replaced")
		}
		return nil
	}
	parent, base, err := u.parent(name)
	if err != nil {
		return err
	}
	defer unix.Close(parent)
	if there, err := u.makeRoom(parent, base, h); err != nil || there && h.Typeflag == tar.TypeDir {
		if err == nil {
			err = u.settle(parent, base, h)
		}
		return err
	}
	mode := uint32(h.Mode & 0o7777)
	switch h.Typeflag {
	case tar.TypeDir:
		err = unix.Mkdirat(parent, base, mode&0o777|0o700)
	case tar.TypeReg:
		return u.file(parent, base, h, content)
	case tar.TypeSymlink:
		err = unix.Symlinkat(h.Linkname, parent, base)
	case tar.TypeLink:
		return u.link(parent, base, h)
	case tar.TypeFifo:
		err = unix.Mknodat(parent, base, unix.S_IFIFO|mode&0o777, 0)
	case tar.TypeChar, tar.TypeBlock:
		kind := uint32(unix.S_IFCHR)
		if h.Typeflag == tar.TypeBlock {
			kind = unix.S_IFBLK
		}
		err = unix.Mknodat(parent, base, kind|mode&0o777, int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))))
	case tar.TypeXGlobalHeader:
		return nil
	default:
		return fmt.Errorf("entries of type %q are not taken", h.Typeflag)
	}
	if err != nil {
		return err
	}
	return u.settle(parent, base, h)
}

// parent opens the directory that an entry goes into, and makes what is missing of it.
func (u *unpacker) parent(name string) (fd int, base string, err error) {
	dir, base := path.Split(name)
	fd, err = u.root.open(path.Join(u.at, dir), unix.O_PATH|unix.O_DIRECTORY)
	if !errors.Is(err, unix.ENOENT) {
		return fd, base, err
	}
	if fd, err = u.root.open(u.at, unix.O_PATH|unix.O_DIRECTORY); err != nil {
		return -1, base, err
	}
	done := u.at
	for _, part := range strings.Split(strings.Trim(dir, "/"), "/") {
		if err := unix.Mkdirat(fd, part, 0o755); err != nil && err != unix.EEXIST {
			unix.Close(fd)
			return -1, base, err
		}
		unix.Close(fd)
		done = path.Join(done, part)
		if fd, err = u.root.open(done, unix.O_PATH|unix.O_DIRECTORY); err != nil {
			return -1, base, err
		}
	}
	return fd, base, nil
}

// makeRoom takes away what stands in an entry's place. A directory stays for a directory.
func (u *unpacker) makeRoom(parent int, base string, h *tar.Header) (there bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstatat(parent, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if IsNotExist(err) {
			err = nil
		}
		return false, err
	}
	isDir := st.Mode&unix.S_IFMT == unix.S_IFDIR
	switch {
	case isDir && h.Typeflag == tar.TypeDir:
		return true, nil
	case u.o.KeepKinds && isDir:
		return true, fmt.Errorf("cannot overwrite directory %q with non-directory %q", path.Join(u.at, h.Name), h.Name)
	case u.o.KeepKinds && h.Typeflag == tar.TypeDir:
		return true, fmt.Errorf("cannot overwrite non-directory %q with directory %q", path.Join(u.at, h.Name), h.Name)
	case isDir:
		return false, removeAll(parent, base, 0)
	}
	return false, unix.Unlinkat(parent, base, 0)
}

// removeAll removes a directory and what is in it, by descriptors.
func removeAll(parent int, base string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s: more than %d directories deep", base, maxDepth)
	}
	fd, err := openat2(parent, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_SYMLINKS)
	if err != nil {
		return err
	}
	d := os.NewFile(uintptr(fd), base)
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := unix.Unlinkat(fd, name, 0); err == unix.EISDIR {
			err = removeAll(fd, name, depth+1)
			if err != nil {
				return err
			}
		} else if err != nil && err != unix.ENOENT {
			return err
		}
	}
	return unix.Unlinkat(parent, base, unix.AT_REMOVEDIR)
}

// file makes a new file: O_EXCL and O_NOFOLLOW, so that it is one, whoever puts a link there in this moment.
func (u *unpacker) file(parent int, base string, h *tar.Header, content io.Reader) error {
	fd, err := unix.Openat(parent, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), h.Name)
	_, err = io.Copy(f, content)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return u.settle(parent, base, h)
}

// link makes a hard link to what the archive has made before: the name is below the same directory, and is no link itself.
func (u *unpacker) link(parent int, base string, h *tar.Header) error {
	for _, part := range strings.Split(h.Linkname, "/") {
		if part == ".." {
			return fmt.Errorf("a hard link to %q, out of the archive", h.Linkname)
		}
	}
	dir, from := path.Split(path.Clean("/" + h.Linkname))
	old, err := u.root.open(path.Join(u.at, dir), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer unix.Close(old)
	return unix.Linkat(old, from, parent, base, 0)
}

// settle gives what was made its owner, mode, capabilities and time, in this order: a change of the owner clears set-user-ID (chown(2)).
func (u *unpacker) settle(parent int, base string, h *tar.Header) error {
	uid, gid := h.Uid, h.Gid
	if u.o.Owner != nil {
		uid, gid = u.o.Owner.UID, u.o.Owner.GID
	}
	fd, err := openat2(parent, base, unix.O_PATH|unix.O_NOFOLLOW, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_SYMLINKS)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Fchownat(fd, "", uid, gid, unix.AT_EMPTY_PATH); err != nil {
		return err
	}
	at := fmt.Sprintf("/proc/self/fd/%d", fd) // an O_PATH descriptor has no chmod of its own before Linux 6.6
	if h.Typeflag != tar.TypeSymlink {
		if err := unix.Chmod(at, uint32(h.Mode&0o7777)); err != nil {
			return err
		}
	}
	if value, ok := h.PAXRecords["SCHILY.xattr."+capXattr]; ok && h.Typeflag == tar.TypeReg {
		if err := unix.Setxattr(at, capXattr, []byte(value), 0); err != nil {
			return fmt.Errorf("%s: %w", capXattr, err)
		}
	}
	if h.Typeflag == tar.TypeDir {
		u.dirs = append(u.dirs, dirTime{h.Name, h.ModTime})
		return nil
	}
	return setTime(parent, base, h.ModTime)
}

func setTime(parent int, base string, at time.Time) error {
	ts := unix.NsecToTimespec(at.UnixNano())
	return unix.UtimesNanoAt(parent, base, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}

// times sets the directories' times, the deepest first.
func (u *unpacker) times() error {
	for i := len(u.dirs) - 1; i >= 0; i-- {
		dir, base, err := u.parent(path.Clean("/" + u.dirs[i].name))
		if err != nil {
			return err
		}
		err = setTime(dir, base, u.dirs[i].at)
		unix.Close(dir)
		if err != nil && !IsNotExist(err) {
			return err
		}
	}
	return nil
}
