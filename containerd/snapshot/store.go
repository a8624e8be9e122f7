// Package snapshot is the snapshotter: stacks of directories that the kernel's overlay file system shows as one tree.
//
// A snapshot is a directory LIB/containerd/snapshots/N with fs/ (its files) and work/ (overlay's own scratch space), and a record that
// names it, says what it is, and what it stands on. Its life is three words long:
//
//	Prepare  an active snapshot: writable, on a committed parent or on nothing
//	Commit   it becomes a layer: read-only, under a new name, and others may stand on it
//	Remove   record and directory go; a snapshot others stand on stays
//
// View is an active snapshot that nobody can write. Nothing here mounts: Mounts says what a shim, or the layer unpacker, has to mount
// (overlay.go). The numbers, not the names, are in the paths, because all of a container's layers must fit into one mount option.
//
// The server calls it. Records are kept by containerd/meta; those of containers that are removed at their exit cost no fsync.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"hull/containerd/meta"
	"hull/stages"
	"hull/trace/span"
)

// A Kind is what a snapshot is in its life.
type Kind string

const (
	Active    Kind = "active"    // writable
	View      Kind = "view"      // an active one that nobody writes to
	Committed Kind = "committed" // a layer
)

// An Info is a snapshot's record.
type Info struct {
	Name    string
	Parent  string // the name of the committed snapshot it stands on; "" for none
	Kind    Kind
	Number  int // of its directory
	Labels  map[string]string
	Created time.Time
	Updated time.Time
	Size    int64 // of a committed snapshot: bytes on the disk
	Inodes  int64
}

// A Store is the snapshots of all namespaces.
type Store struct {
	root  string
	infos *meta.Table[Info]

	mu   sync.Mutex // a change looks at the record, its parent and its children, and then writes
	next int        // the next directory's number
}

// Open opens the store below root, and removes the directories without a record that a kill or a power cut left.
func Open(root string, db *meta.DB) (*Store, error) {
	if strings.ContainsAny(root, ",:\\") {
		return nil, &stages.Error{
			Kind: stages.Invalid, Thing: root, Err: errors.New("comma, colon and backslash have a meaning in overlay's mount options"),
			Hint: "choose another root directory",
		}
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	s := &Store{root: root, infos: meta.JSON[Info](db, "snapshot"), next: 1}
	return s, s.sweep(db)
}

// sweep removes the directories that no record names.
func (s *Store) sweep(db *meta.DB) error {
	named := map[string]bool{}
	namespaces, err := db.Namespaces()
	if err != nil {
		return err
	}
	for _, ns := range namespaces {
		infos, err := s.infos.List(ns, nil)
		if err != nil {
			return err
		}
		for _, i := range infos {
			named[strconv.Itoa(i.Number)] = true
		}
	}
	entries, err := os.ReadDir(s.root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			s.next = max(s.next, n+1)
		}
		if !named[e.Name()] {
			if err := os.RemoveAll(filepath.Join(s.root, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) dir(number int) string  { return filepath.Join(s.root, strconv.Itoa(number)) }
func (s *Store) fs(number int) string   { return filepath.Join(s.dir(number), "fs") }
func (s *Store) work(number int) string { return filepath.Join(s.dir(number), "work") }

// Root is the directory that every path in Mounts is below.
func (s *Store) Root() string { return s.root }

func failed(kind stages.Kind, key string, err error) error {
	return &stages.Error{Step: stages.ContainerdSnapshotPrepare, Kind: kind, Thing: "snapshot " + strconv.Quote(key), Err: err}
}

// Prepare makes an active snapshot on the committed snapshot parent ("" for an empty one), or with kind View one that cannot be written.
func (s *Store) Prepare(ctx context.Context, namespace string, kind Kind, key, parent string, labels map[string]string) (_ []Mount, err error) {
	_, sp := span.Start(ctx, stages.ContainerdSnapshotPrepare)
	sp.Instance(key)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return nil, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if parent != "" {
		p, err := s.infos.Get(namespace, parent)
		if err != nil {
			return nil, err
		}
		if p.Kind != Committed {
			return nil, failed(stages.Invalid, parent, errors.New("it is not committed: nothing can stand on it yet"))
		}
	}
	if _, err := s.infos.Get(namespace, key); err == nil {
		return nil, failed(stages.Conflict, key, errors.New("already exists"))
	}
	now := time.Now().UTC()
	info := Info{Name: key, Parent: parent, Kind: kind, Labels: labels, Created: now, Updated: now}
	chain, err := s.chain(namespace, info)
	if err != nil {
		return nil, err
	}
	// The directory first, then the record: a directory without a record is swept at the next start, a record without a directory would
	// be a snapshot that cannot be mounted.
	if info.Number, err = s.makeDirs(kind, chain); err != nil {
		return nil, failed(stages.Internal, key, err)
	}
	if err := s.infos.Create(namespace, key, info, meta.Volatile(labels)); err != nil {
		os.RemoveAll(s.dir(info.Number))
		return nil, err
	}
	sp.Set("hull.snapshot.dir", s.dir(info.Number))
	return s.mounts(info, chain), nil
}

// makeDirs makes a new numbered directory with fs and work. The mode and owner of an overlay's root are those of its upper directory,
// so a new layer takes them from the layer below.
func (s *Store) makeDirs(kind Kind, chain []Info) (number int, err error) {
	for ; ; s.next++ {
		// 0700: layers hold set-user-ID programs of foreign images; no user of the host may reach them.
		err := os.Mkdir(s.dir(s.next), 0o700)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		number = s.next
		s.next++
		break
	}
	defer func() {
		if err != nil {
			os.RemoveAll(s.dir(number))
		}
	}()
	fs := s.fs(number)
	if err := os.Mkdir(fs, 0o755); err != nil {
		return 0, err
	}
	mode := os.FileMode(0o755)
	if len(chain) > 0 {
		var st unix.Stat_t
		if err := unix.Lstat(s.fs(chain[0].Number), &st); err != nil {
			return 0, err
		}
		if err := os.Lchown(fs, int(st.Uid), int(st.Gid)); err != nil {
			return 0, err
		}
		mode = os.FileMode(st.Mode & 0o7777)
	}
	if err := unix.Chmod(fs, uint32(mode)); err != nil { // mkdir(2) obeyed the umask
		return 0, err
	}
	if kind == Active {
		// overlay wants its work directory empty, on the same file system as the upper one (overlayfs.rst).
		err = os.Mkdir(s.work(number), 0o711)
	}
	return number, err
}

// chain lists the snapshots below info, the nearest first.
func (s *Store) chain(namespace string, info Info) (chain []Info, err error) {
	for parent := info.Parent; parent != ""; {
		p, err := s.infos.Get(namespace, parent)
		if err != nil {
			return nil, err
		}
		chain = append(chain, p)
		if len(chain) > maxLayers {
			return nil, failed(stages.Invalid, info.Name, fmt.Errorf("it stands on more than %d layers", maxLayers))
		}
		parent = p.Parent
	}
	return chain, nil
}

// Mounts says how the active snapshot key is mounted.
func (s *Store) Mounts(namespace, key string) ([]Mount, error) {
	info, err := s.infos.Get(namespace, key)
	if err != nil {
		return nil, err
	}
	if info.Kind == Committed {
		return nil, failed(stages.Invalid, key, errors.New("it is committed: prepare a snapshot on it, or a view"))
	}
	chain, err := s.chain(namespace, info)
	if err != nil {
		return nil, err
	}
	return s.mounts(info, chain), nil
}

// Commit makes the active snapshot key a layer called name.
func (s *Store) Commit(namespace, name, key string, labels map[string]string) error {
	info, err := s.infos.Get(namespace, key)
	if err != nil {
		return err
	}
	if info.Kind != Active {
		return failed(stages.Invalid, key, fmt.Errorf("it is a %s snapshot: only an active one can be committed", info.Kind))
	}
	if _, err := s.infos.Get(namespace, name); err == nil {
		return failed(stages.Conflict, name, errors.New("already exists"))
	}
	size, inodes, err := usage(s.fs(info.Number))
	if err != nil {
		return failed(stages.Internal, key, err)
	}
	// The layer's files must be on the disk before the record that says so: one syncfs(2) for all of them. It may take long, so it
	// comes before the lock; the record is read again under it.
	if err := syncFS(s.fs(info.Number)); err != nil {
		return failed(stages.Internal, key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if info, err = s.infos.Get(namespace, key); err != nil {
		return err
	}
	info.Size, info.Inodes = size, inodes
	info.Name, info.Kind, info.Labels, info.Updated = name, Committed, labels, time.Now().UTC()
	if err := s.infos.Create(namespace, name, info, false); err != nil {
		return err
	}
	_, err = s.infos.Delete(namespace, key)
	return err
}

// syncFS writes back the whole file system that dir is on.
func syncFS(dir string) error {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Syncfs(fd)
}

// Remove removes a snapshot that nothing stands on.
func (s *Store) Remove(namespace, key string) error {
	remove, err := s.Forget(namespace, key)
	if err != nil {
		return err
	}
	return remove()
}

// Forget removes the record of a snapshot that nothing stands on, and returns what removes its files.
func (s *Store) Forget(namespace, key string) (remove func() error, err error) {
	info, err := s.forget(namespace, key)
	if err != nil {
		return nil, err
	}
	return func() error { return os.RemoveAll(s.dir(info.Number)) }, nil // its number is never given again
}

// TopDown sorts snapshots so that each comes before the one it stands on.
func TopDown(all []Info) []Info {
	parent := map[string]string{}
	for _, i := range all {
		parent[i.Name] = i.Parent
	}
	depth := map[string]int{}
	for _, i := range all {
		for p := i.Parent; p != ""; p = parent[p] {
			depth[i.Name]++
		}
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Info) int { return depth[b.Name] - depth[a.Name] })
	return sorted
}

// forget removes the record: from here on nobody mounts the snapshot, and what a kill leaves of the directory is swept at the next start.
func (s *Store) forget(namespace, key string) (Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := s.infos.Get(namespace, key)
	if err != nil {
		return info, err
	}
	if info.Kind == Committed {
		children, err := s.infos.List(namespace, func(i Info) bool { return i.Parent == key })
		if err != nil {
			return info, err
		}
		if len(children) > 0 {
			return info, &stages.Error{
				Kind: stages.Conflict, Thing: "snapshot " + strconv.Quote(key), Err: fmt.Errorf("snapshot %q stands on it", children[0].Name),
				Hint: "remove that first",
			}
		}
	}
	return s.infos.Delete(namespace, key)
}

// Stat returns a snapshot's record.
func (s *Store) Stat(namespace, key string) (Info, error) { return s.infos.Get(namespace, key) }

// List returns the records that keep accepts.
func (s *Store) List(namespace string, keep func(Info) bool) ([]Info, error) {
	return s.infos.List(namespace, keep)
}

// SetLabels changes the labels of a snapshot by change.
func (s *Store) SetLabels(namespace, key string, change func(map[string]string) (map[string]string, error)) (_ Info, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.infos.Update(namespace, key, func(i Info) (Info, error) {
		i.Labels, err = change(i.Labels)
		i.Updated = time.Now().UTC()
		return i, err
	})
}

// Usage is how much a snapshot itself holds, without what it stands on: bytes on the disk, and inodes.
func (s *Store) Usage(namespace, key string) (size, inodes int64, err error) {
	info, err := s.infos.Get(namespace, key)
	if err != nil || info.Kind == Committed {
		return info.Size, info.Inodes, err
	}
	return usage(s.fs(info.Number))
}
