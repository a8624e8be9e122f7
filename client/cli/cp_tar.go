package cli

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// pack writes a file or directory of this machine as a tar. Its entries begin with the source's name, or with name.
func pack(w io.Writer, local string, s copySource, name string) error {
	base := s.base
	if name != "" {
		base = name
	}
	t := tar.NewWriter(w)
	err := filepath.WalkDir(filepath.Clean(local), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(filepath.Clean(local), p)
		if err != nil {
			return err
		}
		return packEntry(t, p, path.Join(base, rel), d)
	})
	if err != nil {
		return err
	}
	return t.Close()
}

func packEntry(t *tar.Writer, p, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil || info.Mode()&fs.ModeSocket != 0 {
		return err
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(p); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	if h.Name, h.Uname, h.Gname = name, "", ""; info.IsDir() {
		h.Name += "/"
	}
	if !info.Mode().IsRegular() {
		return t.WriteHeader(h)
	}
	f, err := os.OpenFile(p, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}

// maxEntries bounds what one archive may make on this machine.
const maxEntries = 1_000_000

// extract unpacks a container's archive below dir. name replaces the first word of its entries, if it is not empty. The container made the
// names and links: os.Root takes care that none of them leads out of dir.
func extract(r io.Reader, dir, name string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	u := &unpacking{root: root}
	t := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return u.times()
		}
		if err != nil {
			return fmt.Errorf("the container's archive: %w", err)
		}
		if n >= maxEntries {
			return fmt.Errorf("the container's archive: more than %d entries", maxEntries)
		}
		if name != "" {
			h.Name = renamed(h.Name, name)
			if h.Typeflag == tar.TypeLink {
				h.Linkname = renamed(h.Linkname, name)
			}
		}
		if err := u.entry(h, t); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

// renamed replaces a name's first word.
func renamed(name, first string) string {
	_, rest, more := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if strings.HasPrefix(name, "/") {
		rest, more = strings.TrimPrefix(name, "/"), true
	}
	if !more {
		return first
	}
	return first + "/" + rest
}

// An unpacking is one archive on its way to the disk.
type unpacking struct {
	root *os.Root
	dirs []*tar.Header
}

func (u *unpacking) entry(h *tar.Header, content io.Reader) error {
	name := strings.TrimSuffix(strings.TrimPrefix(path.Clean("/"+h.Name), "/"), "/")
	if name == "" {
		return nil // the directory itself
	}
	if !filepath.IsLocal(h.Name) && !strings.HasPrefix(h.Name, "/") {
		return errors.New("a name that leads out of the archive")
	}
	if dir := path.Dir(name); dir != "." {
		if err := u.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	there, err := u.makeRoom(name, h)
	if err != nil {
		return err
	}
	mode := h.FileInfo().Mode()
	switch h.Typeflag {
	case tar.TypeDir:
		if !there {
			err = u.root.Mkdir(name, mode.Perm()|0o700)
		}
		u.dirs = append(u.dirs, h)
		return err
	case tar.TypeReg:
		f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		if err := errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
			return err
		}
		return u.root.Chtimes(name, h.ModTime, h.ModTime)
	case tar.TypeSymlink:
		return u.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		return u.root.Link(strings.TrimPrefix(path.Clean("/"+h.Linkname), "/"), name)
	case tar.TypeXGlobalHeader:
		return nil
	}
	return errors.New("devices and pipes of a container are not made on this machine")
}

// makeRoom takes away the file in an entry's place. A directory is no place for a file, nor a file for a directory.
func (u *unpacking) makeRoom(name string, h *tar.Header) (there bool, err error) {
	info, err := u.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.IsDir() && h.Typeflag == tar.TypeDir:
		return true, nil
	case info.IsDir():
		return true, fmt.Errorf("cannot overwrite directory %q with non-directory", name)
	case h.Typeflag == tar.TypeDir:
		return true, fmt.Errorf("cannot overwrite non-directory %q with directory", name)
	}
	return false, u.root.Remove(name)
}

// times gives the directories their modes and times, when nothing is put into them any more; the deepest first.
func (u *unpacking) times() error {
	for i := len(u.dirs) - 1; i >= 0; i-- {
		h := u.dirs[i]
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if err := errors.Join(u.root.Chmod(name, h.FileInfo().Mode()), u.root.Chtimes(name, h.ModTime, h.ModTime)); err != nil {
			return err
		}
	}
	return nil
}
