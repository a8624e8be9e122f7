package image

import (
	"archive/tar"
	"fmt"
	"path"
	"strings"
)

// A Refused is an entry of a layer that leads, or may lead, out of the layer's own tree. What a real layer never needs is not corrected
// but refused, so that a hostile image is seen.
type Refused struct {
	Entry string // the entry's name, as the archive has it
	Why   string
}

func (r *Refused) Error() string { return fmt.Sprintf("entry %q: %s", r.Entry, r.Why) }

// Check looks at one entry before anything of it is made.
//
// An absolute symbolic link is not refused: inside the container it means the container's own root, and images have many. The unpacker
// resolves it below the snapshot's root when a later entry goes through it.
func Check(h *tar.Header) error {
	refuse := func(format string, args ...any) error {
		return &Refused{Entry: h.Name, Why: fmt.Sprintf(format, args...)}
	}
	switch {
	case strings.IndexByte(h.Name, 0) >= 0 || strings.IndexByte(h.Linkname, 0) >= 0:
		return refuse("its name holds a NUL")
	case path.IsAbs(h.Name):
		return refuse("an absolute name")
	case hasDotDot(h.Name):
		return refuse("a name with a .. in it")
	}
	for record := range h.PAXRecords {
		// overlay keeps its own marks (whiteouts, redirects) in these; a layer that brings some could hide or move files of others.
		if strings.HasPrefix(record, "SCHILY.xattr.trusted.overlay.") || strings.HasPrefix(record, "SCHILY.xattr.user.overlay.") {
			return refuse("an extended attribute of overlay's own: %s", strings.TrimPrefix(record, "SCHILY.xattr."))
		}
	}
	root := path.Clean(h.Name) == "."
	switch h.Typeflag {
	case tar.TypeLink:
		if path.IsAbs(h.Linkname) || hasDotDot(h.Linkname) {
			return refuse("a hard link to %q, out of the layer", h.Linkname)
		}
	case tar.TypeSymlink:
		if out := path.Join(path.Dir(path.Clean(h.Name)), h.Linkname); !path.IsAbs(h.Linkname) && (out == ".." || strings.HasPrefix(out, "../")) {
			return refuse("a symbolic link to %q, out of the layer", h.Linkname)
		}
	}
	if root && h.Typeflag != tar.TypeDir {
		return refuse("the root must be a directory")
	}
	return nil
}

func hasDotDot(name string) bool {
	for _, part := range strings.Split(name, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}
