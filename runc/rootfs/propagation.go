package rootfs

import (
	"fmt"

	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// A propagation says how a mount shares its events, the mounts and unmounts below it, with its copies (mount_namespaces(7)): shared in
// both directions, slave in one, private in none; unbindable is private, and cannot be copied.
type propagation struct {
	kind  uint64
	below bool // and the mounts below it
}

var propagations = map[string]propagation{
	"private": {unix.MS_PRIVATE, false}, "rprivate": {unix.MS_PRIVATE, true},
	"slave": {unix.MS_SLAVE, false}, "rslave": {unix.MS_SLAVE, true},
	"shared": {unix.MS_SHARED, false}, "rshared": {unix.MS_SHARED, true},
	"unbindable": {unix.MS_UNBINDABLE, false}, "runbindable": {unix.MS_UNBINDABLE, true},
}

// row is the row that gives it to the mount behind a descriptor.
func (o propagation) row(mount *int32) linux.Row {
	flags := uint(0)
	if o.below {
		flags = unix.AT_RECURSIVE
	}
	return linux.MountSetattr(linux.FD(mount), flags, unix.MountAttr{Propagation: o.kind})
}

// tied reports whether a bind mount is to go on hearing of its source's events, or to send it its own.
func (o *options) tied() bool {
	for _, p := range o.propagation {
		if p.kind == unix.MS_SHARED || p.kind == unix.MS_SLAVE {
			return true
		}
	}
	return false
}

// rootPropagation reads linux.rootfsPropagation.
func rootPropagation(name string) (propagation, error) {
	p, ok := propagations[name]
	if !ok && name != "" {
		return p, &stages.Error{Step: stages.RuncInitPropagation, Kind: stages.Invalid, Thing: "linux.rootfsPropagation", Err: fmt.Errorf("%q is no kind of propagation", name), Hint: "shared, slave, private or unbindable, each also with an r in front"}
	}
	return p, nil
}

// Cut appends the row after which nothing that is mounted here appears on the host: a new mount namespace still shares events with the
// one it was copied from. Always recursive: a mount that stayed shared would leak. As a slave the copy still hears of the host's mounts,
// as runc leaves it; a private root does not.
func (w *Wanted) Cut(p *linux.Program) {
	p.At(stages.RuncInitPropagation, "")
	kind := uint(unix.MS_SLAVE)
	if w.propagation.kind == unix.MS_PRIVATE {
		kind = unix.MS_PRIVATE
	}
	p.Do(linux.Mount("/", kind|cutBelow))
}

// Propagate appends the row that gives the container's root what linux.rootfsPropagation asks for, among the container's own mounts: a
// shared one is shared with the copies that it makes of itself, never with the host. Last, when nothing is copied or attached any more:
// of an unbindable mount there is no copy.
func (w *Wanted) Propagate(p *linux.Program, root *int32) {
	if k := w.propagation.kind; k == unix.MS_SHARED || k == unix.MS_UNBINDABLE {
		p.At(stages.None, "linux.rootfsPropagation")
		p.Do(w.propagation.row(root))
	}
}
