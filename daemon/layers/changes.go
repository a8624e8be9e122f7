package layers

import (
	"io/fs"
	"os"
	"path"
	"slices"

	"golang.org/x/sys/unix"
)

// A ChangeKind is what became of a path; the numbers are the Engine API's (definition ChangeType).
type ChangeKind uint8

const (
	Modified ChangeKind = iota
	Added
	Deleted
)

// A Change is one path in which the topmost layer differs from what is below it.
type Change struct {
	Path string
	Kind ChangeKind
}

// Changes lists what the topmost layer changes, sorted by path. skip names paths that are no change of the container's if they are new:
// the places where something is mounted, which the runtime makes.
func (s *Stack) Changes(skip func(p string) bool) ([]Change, error) {
	c := &comparison{top: &Stack{s.dirs[:1]}, below: &Stack{s.dirs[1:]}, skip: skip}
	_, err := c.dir("")
	slices.SortFunc(c.found, func(a, b Change) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
	return c.found, err
}

// A comparison is one walk.
type comparison struct {
	top, below *Stack
	skip       func(string) bool
	found      []Change
}

// dir compares a directory that the top has. within says that something in it changed: then it counts as changed itself. docker does the
// same.
func (c *comparison) dir(p string) (within bool, err error) {
	entries, err := c.top.names(0, p)
	if err != nil {
		return false, err
	}
	for _, name := range entries {
		changed, err := c.entry(path.Join(p, name))
		if err != nil {
			return within, err
		}
		within = within || changed
	}
	if fd, err := c.top.openat2(0, orDot(p), unix.O_PATH|unix.O_DIRECTORY); err == nil {
		opaque := isOpaque(fd)
		unix.Close(fd)
		if opaque { // everything of it that is below and not here is gone
			gone, err := c.hidden(p, entries)
			return within || gone, err
		}
	}
	return within, nil
}

func (c *comparison) hidden(p string, here []string) (any bool, err error) {
	for layer := range c.below.dirs {
		names, err := c.below.names(layer, p)
		if err != nil {
			if isMissing(err) {
				continue
			}
			return any, err
		}
		for _, name := range names {
			q := path.Join(p, name)
			if _, _, err := c.below.find(q); err != nil || slices.Contains(here, name) {
				continue
			}
			if ch := (Change{"/" + q, Deleted}); !slices.Contains(c.found, ch) {
				c.found, any = append(c.found, ch), true
			}
		}
	}
	return any, nil
}

func isMissing(err error) bool {
	return os.IsNotExist(err) || err == unix.ENOTDIR || err == unix.ENOENT
}

// entry compares one path of the top.
func (c *comparison) entry(p string) (changed bool, err error) {
	st, err := c.top.openStat(0, p)
	if err != nil {
		return false, &fs.PathError{Op: "stat", Path: "/" + p, Err: err}
	}
	_, mode, err := c.below.find(p)
	was := err == nil
	if err != nil && !isMissing(err) {
		return false, err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == 0 {
		if was {
			c.found = append(c.found, Change{"/" + p, Deleted})
		}
		return was, nil
	}
	isDir := st.Mode&unix.S_IFMT == unix.S_IFDIR
	within := false
	if isDir {
		if within, err = c.dir(p); err != nil {
			return false, err
		}
	}
	switch {
	case !was && c.skip("/"+p):
		return within, nil
	case !was:
		c.found = append(c.found, Change{"/" + p, Added})
	case isDir && mode&unix.S_IFMT == unix.S_IFDIR && !within && (mode == st.Mode || c.holdsSkipped(p)):
		return false, nil // it was only copied up, or only a mount's place was made in it
	default:
		c.found = append(c.found, Change{"/" + p, Modified})
	}
	return true, nil
}

func (c *comparison) holdsSkipped(p string) bool {
	names, err := c.top.names(0, p)
	return err == nil && slices.ContainsFunc(names, func(n string) bool { return c.skip("/" + path.Join(p, n)) })
}

func orDot(p string) string {
	if p == "" {
		return "."
	}
	return p
}
