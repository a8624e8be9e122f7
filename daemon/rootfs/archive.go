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
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxDepth = 1000 // directories in directories; each level holds a descriptor while it is walked
	capXattr = "security.capability"

	mqueueMagic = 0x19800202 // ipc/mqueue.c, MQUEUE_MAGIC
)

// Archive writes a path and all below it as a tar whose names begin with the path's last word, as docker's API does. A link at the path's
// end is written as a link, unless the path ends in a slash. What the kernel makes up (proc, sysfs, devices' tmpfs) is not walked into.
func (r *Root) Archive(ctx context.Context, name string, w io.Writer) error {
	name = clean(name)
	parent, base := path.Split(name)
	as := path.Base(name)
	if base == "." || base == "" {
		parent, base = name, "."
	}
	dir, err := r.open(parent, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(dir)
	p := packer{ctx: ctx, tar: tar.NewWriter(w), seen: map[inode]string{}}
	if err := p.entry(dir, base, as, 0); err != nil {
		return err
	}
	return p.tar.Close()
}

// Export writes all of the root. Of one by Alone, or by Stopped without binds, that is the container's own files and nothing mounted on them.
func (r *Root) Export(ctx context.Context, w io.Writer) error {
	p := packer{ctx: ctx, tar: tar.NewWriter(w), seen: map[inode]string{}}
	dir, err := openat2(r.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY, unix.RESOLVE_BENEATH)
	if err != nil {
		return err
	}
	if err := p.children(dir, "", 0); err != nil {
		return err
	}
	return p.tar.Close()
}

type inode struct{ dev, ino uint64 }

// A packer writes one tar.
type packer struct {
	ctx  context.Context
	tar  *tar.Writer
	seen map[inode]string // files with several names: the one they were written under
}

// entry writes what base in dir is now, under the name as, and what is below it. Whoever changes names meanwhile changes only what is
// found: the entry is opened once, without following a link, and everything else asks the descriptor.
func (p *packer) entry(dir int, base, as string, depth int) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth {
		return fmt.Errorf("%s: more than %d directories deep", as, maxDepth)
	}
	fd, err := openEntry(dir, base)
	if err != nil {
		if depth > 0 && IsNotExist(err) {
			return nil // it was removed while we walked
		}
		return &fs.PathError{Op: "open", Path: as, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: as, Err: err}
	}
	h := &tar.Header{
		Name: as, Mode: int64(st.Mode & 0o7777), Uid: int(st.Uid), Gid: int(st.Gid), ModTime: time.Unix(st.Mtim.Sec, 0), Format: tar.FormatPAX,
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return p.directory(dir, fd, h, st, depth)
	case unix.S_IFREG:
		return p.file(fd, h, st)
	case unix.S_IFLNK:
		h.Typeflag = tar.TypeSymlink
		if h.Linkname, err = readlinkat(fd, ""); err != nil {
			return &fs.PathError{Op: "readlink", Path: as, Err: err}
		}
	case unix.S_IFIFO:
		h.Typeflag = tar.TypeFifo
	case unix.S_IFCHR, unix.S_IFBLK:
		if h.Typeflag = tar.TypeChar; st.Mode&unix.S_IFMT == unix.S_IFBLK {
			h.Typeflag = tar.TypeBlock
		}
		h.Devmajor, h.Devminor = int64(unix.Major(st.Rdev)), int64(unix.Minor(st.Rdev))
	default:
		return nil // a socket: nothing of it could be restored
	}
	return p.tar.WriteHeader(h)
}

func (p *packer) directory(dir, fd int, h *tar.Header, st unix.Stat_t, depth int) error {
	h.Typeflag = tar.TypeDir
	name := h.Name
	h.Name = strings.TrimSuffix(name, "/") + "/"
	if err := p.tar.WriteHeader(h); err != nil {
		return err
	}
	if depth > 0 && madeUp(fd) {
		var above unix.Stat_t
		if err := unix.Fstat(dir, &above); err != nil || above.Dev != st.Dev {
			return nil // the border to it; whoever asks for a path inside gets that
		}
	}
	list, err := openat2(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY, unix.RESOLVE_BENEATH)
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return p.children(list, h.Name, depth)
}

// children writes what is in the directory, whose descriptor it closes.
func (p *packer) children(fd int, prefix string, depth int) error {
	d := os.NewFile(uintptr(fd), prefix)
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return &fs.PathError{Op: "read", Path: prefix, Err: err}
	}
	slices.Sort(names)
	for _, name := range names {
		if err := p.entry(fd, name, prefix+name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// file writes a regular file: a hard link, if it was written under another name, or its bytes.
func (p *packer) file(fd int, h *tar.Header, st unix.Stat_t) error {
	if st.Nlink > 1 {
		key := inode{st.Dev, st.Ino}
		if first, ok := p.seen[key]; ok {
			h.Typeflag, h.Linkname = tar.TypeLink, first
			return p.tar.WriteHeader(h)
		}
		p.seen[key] = h.Name
	}
	// The O_PATH descriptor is reopened through its own name in our /proc: the same file, whatever its name in the container says by now.
	f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: h.Name, Err: errors.Unwrap(err)}
	}
	defer f.Close()
	h.Typeflag, h.Size = tar.TypeReg, st.Size
	buf := make([]byte, 256)
	if n, err := unix.Fgetxattr(int(f.Fd()), capXattr, buf); err == nil && n > 0 {
		h.PAXRecords = map[string]string{"SCHILY.xattr." + capXattr: string(buf[:n])}
	}
	if err := p.tar.WriteHeader(h); err != nil {
		return err
	}
	n, err := io.Copy(p.tar, io.LimitReader(contextReader{p.ctx, f}, h.Size))
	if err != nil {
		return &fs.PathError{Op: "read", Path: h.Name, Err: err}
	}
	// A file that shrank under us: the header has promised more; tar(1) fills up with zeros as well.
	_, err = io.CopyN(p.tar, zeros{}, h.Size-n)
	return err
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

// madeUp reports whether a directory is on a file system whose files are the kernel's words and no bytes on a disk.
func madeUp(fd int) bool {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return false
	}
	switch int64(st.Type) {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.DEVPTS_SUPER_MAGIC, unix.TMPFS_MAGIC, mqueueMagic:
		return true
	}
	return false
}
