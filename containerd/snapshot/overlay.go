package snapshot

import "strings"

// maxLayers is a bound of ours; the kernel's is 500 (fs/overlayfs/params.h OVL_MAX_STACK).
const maxLayers = 256

// A Mount is one mount(2) that makes a snapshot visible: the wire's containerd.types.Mount.
type Mount struct {
	Type    string
	Source  string
	Options []string
}

// mounts is how a snapshot becomes one tree.
//
//	nothing below            its own directory, bound
//	a view of one layer      that layer, bound read-only
//	a view of several        overlay without an upper directory, which makes it read-only
//	else                     overlay: what is written goes to upperdir, the layers stay as they are
//
// lowerdir lists the layers from the top down. index=off: the index would tie a layer to one upper directory, and layers are shared by all
// containers of an image (Linux Documentation/filesystems/overlayfs.rst, "Index").
func (s *Store) mounts(info Info, chain []Info) []Mount {
	bind := func(number int, mode string) []Mount {
		return []Mount{{Type: "bind", Source: s.fs(number), Options: []string{mode, "rbind"}}}
	}
	switch {
	case info.Kind == View && len(chain) == 0:
		return bind(info.Number, "ro")
	case info.Kind == View && len(chain) == 1:
		return bind(chain[0].Number, "ro")
	case len(chain) == 0:
		return bind(info.Number, "rw")
	}
	lower := make([]string, len(chain))
	for i, c := range chain {
		lower[i] = s.fs(c.Number)
	}
	options := []string{"index=off"}
	if info.Kind == Active {
		options = append(options, "workdir="+s.work(info.Number), "upperdir="+s.fs(info.Number))
	}
	options = append(options, "lowerdir="+strings.Join(lower, ":"))
	return []Mount{{Type: "overlay", Source: "overlay", Options: options}}
}
