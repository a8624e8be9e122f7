package cli

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A copySource is what is copied.
type copySource struct {
	base   string // the name that its archive's entries begin with; "." for a directory's content
	rename string // the name that was asked for, if base is that of the target of a link
	dir    bool
}

// A copyTarget is where it goes.
type copyTarget struct {
	path        string // as it was given: a / or /. at its end says that it must be a directory
	abs         string
	exists, dir bool
}

func (t copyTarget) saysDir() bool {
	return strings.HasSuffix(t.path, "/") || strings.HasSuffix(t.path, "/.") || t.path == "."
}

// fit is docker's table of what cp does: the directory that the archive is unpacked in, and the name that its first word gets there ("" leaves
// it).
//
//	target                 source a file                          source a directory
//	a directory            into it                                into it; with /. its content
//	a file                 in its place                           error
//	nothing                under this name                        under this name
//	nothing, ending in /   error                                  under this name
func (s copySource) fit(t copyTarget) (dir, name string, err error) {
	switch {
	case t.exists && t.dir:
		return t.abs, s.rename, nil
	case t.exists && s.dir:
		return "", "", saidf("cannot copy directory")
	case t.exists && t.saysDir():
		return "", "", saidf("not a directory")
	case !t.exists && !s.dir && t.saysDir():
		return "", "", saidf("no such directory")
	}
	return path.Dir(t.abs), path.Base(t.abs), nil
}

// lastWord is the word that a path's archive begins with.
func lastWord(p string) string {
	if strings.HasSuffix(p, "/.") || p == "." {
		return "."
	}
	return path.Base(path.Clean("/" + p))
}

// sourceOnDisk looks at a file or directory of this machine.
func sourceOnDisk(name string, follow bool) (local string, s copySource, err error) {
	s.base = lastWord(name)
	if s.base == "/" || s.base == ".." || name == ".." || strings.HasSuffix(name, "/..") {
		abs, err := filepath.Abs(name)
		if err != nil {
			return "", s, err
		}
		s.base = filepath.Base(abs)
	}
	if local, err = filepath.Abs(name); err != nil {
		return "", s, err
	}
	info, err := os.Lstat(local)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && (follow || s.base == "." || strings.HasSuffix(name, "/")) {
		if local, err = filepath.EvalSymlinks(local); err == nil {
			info, err = os.Lstat(local)
		}
	}
	if err != nil {
		return "", s, err
	}
	if s.dir = info.IsDir(); !s.dir && (s.base == "." || strings.HasSuffix(name, "/")) {
		return "", s, &fs.PathError{Op: "lstat", Path: name, Err: errors.New("not a directory")}
	}
	return local, s, nil
}

// placeOnDisk looks at a target on this machine. A link there leads on; its directory must exist.
func placeOnDisk(name string) (t copyTarget, err error) {
	t.path = name
	if t.abs, err = filepath.Abs(name); err != nil {
		return t, err
	}
	info, err := os.Stat(t.abs)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(filepath.Dir(t.abs)); errors.Is(err, fs.ErrNotExist) {
			return t, saidf("invalid output path: directory %q does not exist", filepath.Dir(t.abs))
		}
		if to, err := os.Readlink(t.abs); err == nil { // a link to nothing: what it names is made
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(t.abs), to)
			}
			t.abs = filepath.Clean(to)
		}
		return t, nil
	}
	if err != nil {
		return t, err
	}
	t.exists, t.dir = true, info.IsDir()
	if t.abs, err = filepath.EvalSymlinks(t.abs); err != nil {
		return t, err
	}
	if info.Mode()&fs.ModeDevice != 0 {
		return t, saidf("got a device")
	}
	return t, nil
}
