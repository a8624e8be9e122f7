package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Wanted is the file system that the specification asks for, checked. What is not offered has been refused by name.
type Wanted struct {
	root        string
	propagation propagation // linux.rootfsPropagation
	mounts      []mount
	kernels     map[string]*int32 // the cells of what is mounted on /proc and /sys, by "proc" and "sys"
	Warnings    []string          // what was left out
}

// A mount is one of the specification's mounts.
type mount struct {
	specs.Mount
	options
	field   string   // "mounts[3] /vol", for errors
	source  string   // of a bind mount: an absolute path
	isDir   bool     // a directory is mounted on a directory, a file on a file
	ids     *idmap   // nil for none
	made    *int32   // the cell of a mount that is there before the clone, or before the cut; nil for none
	leftOut []string // options without a meaning, by name
}

// Parse checks linux.rootfsPropagation and the mounts, in whose order they will be made. root is the root file system's path on the host.
func Parse(spec *specs.Spec, bundle, root string) (*Wanted, error) {
	w := &Wanted{root: root, kernels: map[string]*int32{}}
	var err error
	if w.propagation, err = rootPropagation(spec.Linux.RootfsPropagation); err != nil {
		return nil, err
	}
	for i, asked := range spec.Mounts {
		m := mount{Mount: asked, field: fmt.Sprintf("mounts[%d] %s", i, asked.Destination), isDir: true}
		if err := m.check(spec, bundle, w.mounts); err != nil {
			e := &stages.Error{Step: stages.RuncInitMounts, Kind: stages.Invalid, Thing: m.field, Err: err}
			switch {
			case errors.Is(err, errors.ErrUnsupported):
				e.Kind = stages.Unsupported
			case errors.Is(err, os.ErrNotExist):
				e.Kind = stages.NotFound
			}
			return nil, e
		}
		for _, key := range m.leftOut {
			w.Warnings = append(w.Warnings, fmt.Sprintf("%s: option %q is left out: it has no meaning for a bind mount", m.field, key))
		}
		w.mounts = append(w.mounts, m)
	}
	return w, nil
}

// unsupported is an error for what is understood and not offered.
func unsupported(format string, args ...any) error {
	return notOffered(fmt.Sprintf(format, args...))
}

type notOffered string

func (n notOffered) Error() string      { return string(n) }
func (notOffered) Is(target error) bool { return target == errors.ErrUnsupported }

// check reads the options and refuses what cannot be. before are the mounts that will be there already.
func (m *mount) check(spec *specs.Spec, bundle string, before []mount) (err error) {
	switch {
	case !path.IsAbs(m.Destination):
		return errors.New("destination is not an absolute path")
	case slices.Contains(strings.Split(m.Destination, "/"), ".."):
		return errors.New(`destination goes through ".."`)
	case relative(m.Destination) == ".":
		return unsupported("a mount over the root is not offered")
	}
	if m.options, err = parseOptions(m.Options); err != nil {
		return err
	}
	if m.Type == "bind" {
		m.bind = true
	}
	switch {
	case m.remount:
		if own := m.own(); own != "" {
			return fmt.Errorf("option %q would change the file system, which others may share: remount changes the mount only", own)
		}
	case m.bind:
		m.leaveOut()
		if own := m.own(); own != "" {
			return fmt.Errorf("option %q has no meaning for a bind mount", own)
		}
		m.source = m.Source
		if !filepath.IsAbs(m.source) {
			m.source = filepath.Join(bundle, m.source)
		}
		st, err := os.Stat(m.source)
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		m.isDir = st.IsDir()
	case m.Type == "":
		return errors.New("type is missing")
	}
	if err := m.checkIDs(spec); err != nil {
		return err
	}
	if m.copyUp {
		if err := m.checkCopyUp(before); err != nil {
			return err
		}
	}
	if m.ids != nil || m.copyUp {
		m.made = linux.Cell(-1) // Make fills it in
	}
	return m.checkKernels()
}

// leaveOut takes out of a bind mount what a new file system would be given: "mode=755", "size=1m". Engines pass such on, and mount(2) has always
// overlooked them; runc and crun do. A word alone stays, to be refused: it may be a misspelt "ro", which nobody must overlook.
func (m *mount) leaveOut() {
	m.data = slices.DeleteFunc(m.data, func(o option) bool {
		if o.value != nil {
			m.leftOut = append(m.leftOut, o.key)
		}
		return o.value != nil
	})
}

// lxcfs are the files of /proc that may be covered: with answers that suit the container's limits, as lxcfs(1) gives them.
var lxcfs = []string{
	"proc/cpuinfo", "proc/diskstats", "proc/meminfo", "proc/stat", "proc/swaps", "proc/uptime", "proc/loadavg", "proc/slabinfo",
	"proc/sys/kernel/ns_last_pid", "proc/sys/crypto/fips_enabled",
}

// checkKernels keeps /proc and /sys the kernel's: programs inside, and engines outside, believe what they read there, and what they write
// there must reach the kernel (CVE-2019-16884, CVE-2019-19921). runc's rules, and the same for /sys.
func (m *mount) checkKernels() error {
	dest := relative(m.Destination)
	real, isRoot := map[string]struct {
		fstype string
		magic  int64
		inode  uint64
	}{"proc": {"proc", unix.PROC_SUPER_MAGIC, 1}, "sys": {"sysfs", unix.SYSFS_MAGIC, 1}}[dest]
	switch {
	case m.remount:
	case isRoot && m.bind:
		var fs unix.Statfs_t
		var st unix.Stat_t
		for _, err := range []error{unix.Statfs(m.source, &fs), unix.Stat(m.source, &st)} {
			if err != nil {
				return fmt.Errorf("source %s: %w", m.source, err)
			}
		}
		if fs.Type != real.magic || st.Ino != real.inode { // proc(5): the root of a procfs has inode 1, nothing else in it has; so has sysfs
			return fmt.Errorf("source %s is not the root of a %s: it would hide the kernel's", m.source, real.fstype)
		}
	case isRoot && m.Type != real.fstype:
		return fmt.Errorf("type is not %s: it would hide the kernel's", real.fstype)
	case strings.HasPrefix(dest, "proc/") && !slices.Contains(lxcfs, dest):
		return errors.New("it is inside /proc: it would hide the kernel's")
	}
	return nil
}

// Tie appends the rows that copy the sources which are to stay peers of the host's: after [Wanted.Cut] there are no peers any more.
func (w *Wanted) Tie(p *linux.Program) {
	for i := range w.mounts {
		if m := &w.mounts[i]; m.bind && m.made == nil && !m.remount && m.tied() {
			p.At(stages.None, "source of "+m.Destination)
			p.For(m.field)
			m.made = m.copySource(p)
		}
	}
}

// Take appends the rows that copy the other sources as well: before the process becomes somebody who may have no right to go there, the
// root of a user namespace.
func (w *Wanted) Take(p *linux.Program) {
	for i := range w.mounts {
		if m := &w.mounts[i]; m.bind && m.made == nil && !m.remount {
			p.At(stages.None, "source of "+m.Destination)
			p.For(m.field)
			m.made = m.copySource(p)
		}
	}
}

// Make makes what must be there before the clone: mounts that are attached nowhere, behind descriptors that the child inherits. They end
// with this process.
func (w *Wanted) Make() error {
	for i := range w.mounts {
		m := &w.mounts[i]
		var err error
		switch {
		case m.ids != nil:
			err = m.makeIDMapped()
		case m.copyUp:
			err = w.makeCopyUp(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
