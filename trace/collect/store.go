package collect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"hull/stages"
	"hull/trace/model"
)

// Retention: the newest traces are kept, by number and by size together; older files are removed when one is written.
const (
	keepTraces = 500
	keepBytes  = 512 << 20
)

// A store is the directory of finished traces: ID.json each, in trace/model's form, 0600. A file belongs to the trace's owner, so that the
// uid that may read it is written where every tool shows it.
type store struct {
	dir    string
	index  map[string]entry // what is in the directory; the collector's lock guards it
	newest *model.Trace     // what was saved last
}

type entry struct {
	model.Summary
	owner uint32
	size  int64
}

// openStore reads what earlier hull-traces have left. A file that cannot be read is left alone and named in the log.
func openStore(dir string) (*store, error) {
	if err := privateDir(dir); err != nil {
		return nil, err
	}
	s := &store{dir: dir, index: map[string]entry{}}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		id := strings.TrimSuffix(filepath.Base(name), ".json")
		t, err := s.load(id)
		if err != nil {
			slog.Warn("trace not readable", "file", name, "err", err)
			continue
		}
		s.remember(t)
	}
	return s, nil
}

func (s *store) file(id string) string { return filepath.Join(s.dir, id+".json") }

func (s *store) has(id string) bool { _, ok := s.index[id]; return ok }

func (s *store) remember(t *model.Trace) {
	info, err := os.Stat(s.file(t.ID))
	if err != nil {
		return
	}
	s.index[t.ID] = entry{Summary: t.Summary(), owner: info.Sys().(*syscall.Stat_t).Uid, size: info.Size()}
}

// save writes the trace under a temporary name and renames it: a reader sees a whole file or none. A trace is a record of the past, not a
// promise: it is not synced.
func (s *store) save(t *model.Trace, owner uint32) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	tmp := s.file(t.ID) + ".tmp"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		os.Remove(tmp)
		return err
	}
	if err := os.Chown(tmp, int(owner), -1); err != nil && os.Geteuid() == 0 {
		os.Remove(tmp)
		return err
	}
	if err := os.Rename(tmp, s.file(t.ID)); err != nil {
		os.Remove(tmp)
		return err
	}
	s.remember(t)
	s.newest = t
	s.prune()
	return nil
}

// prune removes the oldest beyond the limits.
func (s *store) prune() {
	var size int64
	for i, e := range s.list() {
		size += e.size
		if i >= keepTraces || size > keepBytes && i > 0 {
			s.remove(e.ID)
		}
	}
}

// load reads a trace. It is not to be changed: the one that was saved last is kept in memory, for it is usually the one that is looked at.
func (s *store) load(id string) (*model.Trace, error) {
	if s.newest != nil && s.newest.ID == id {
		return s.newest, nil
	}
	text, err := os.ReadFile(s.file(id))
	if err != nil {
		return nil, err
	}
	var t model.Trace
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", s.file(id), err)
	}
	if t.Version > model.Version {
		return nil, &stages.Error{Kind: stages.Unsupported, Thing: id, Err: fmt.Errorf("form %d of a trace; this hull-trace reads up to %d", t.Version, model.Version)}
	}
	return &t, nil
}

func (s *store) remove(id string) error {
	delete(s.index, id)
	if s.newest != nil && s.newest.ID == id {
		s.newest = nil
	}
	return os.Remove(s.file(id))
}

// list is what is stored, newest first.
func (s *store) list() []entry {
	all := make([]entry, 0, len(s.index))
	for _, e := range s.index {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(b.Start, a.Start) })
	return all
}

// find lists the stored traces of uid (root: all) that ref may mean, newest first.
func (s *store) find(ref string, uid uint32) (found []entry) {
	for _, e := range s.list() {
		if (uid == 0 || uid == e.owner) && (ref == "last" || strings.HasPrefix(e.ID, ref) || isContainer(e.Container, ref)) {
			found = append(found, e)
		}
	}
	return found
}
