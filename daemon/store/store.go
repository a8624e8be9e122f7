// Package store keeps the daemon's records of containers: one directory per container with container.json in it.
//
// A container with --rm lives in the run directory: its record survives the death of any process, not a power cut, so the fast path needs
// no fsync. All others survive a power cut once Save has returned: temporary file, fsync, rename, fsync of the directory.
//
// It is called by daemon/engine, which is the only writer of a record at a time. It knows nothing of what a record means.
package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"hull/daemon/network"
	"hull/stages/instance"

	"github.com/moby/moby/api/types/container"
)

// A Record is everything that a restarted daemon must know of a container.
type Record struct {
	ID      string
	Name    string // without the leading slash
	Created time.Time

	Image   string // as the user wrote it
	ImageID string
	Path    string   // the program
	Args    []string // its arguments, without the program

	Config     *container.Config
	HostConfig *container.HostConfig

	Network *network.Endpoint `json:",omitempty"` // its place in the bridge network

	State State

	TraceParent string `json:",omitempty"` // the trace that the container belongs to; calls without one join it
	TraceOwned  bool   `json:",omitempty"` // hulld made the trace, and so must end it
}

// State is a container's place in its life. Times are zero before they happen.
type State struct {
	Status     container.ContainerState // created, running, exited or dead
	PID        int
	PIDStart   uint64 // when that process began, in the kernel's ticks: a pid is used again, the pair is not
	ExitCode   int
	Error      string
	OOMKilled  bool
	StartedAt  time.Time
	FinishedAt time.Time
}

// AutoRemove reports whether the container is removed when it ends.
func (r *Record) AutoRemove() bool { return r.HostConfig != nil && r.HostConfig.AutoRemove }

const recordName = "container.json"

// A Store is the records of one instance.
type Store struct{ inst instance.Instance }

// Open makes the two directories of records.
func Open(inst instance.Instance) (*Store, error) {
	for _, dir := range []string{inst.RunContainers(), inst.LibContainers()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	return &Store{inst}, nil
}

// Dir is where the container's record is, and the small files that are mounted into it.
func (s *Store) Dir(r *Record) string {
	if r.AutoRemove() {
		return filepath.Join(s.inst.RunContainers(), r.ID)
	}
	return filepath.Join(s.inst.LibContainers(), r.ID)
}

// Log is the container's json-file. It is on disk for all containers: the run directory is memory.
func (s *Store) Log(id string) string {
	return filepath.Join(s.inst.LibContainers(), id, id+"-json.log")
}

// Volume is the directory of the container's nth volume. It is on disk for all containers, as the log is.
func (s *Store) Volume(id string, n int) string {
	return filepath.Join(filepath.Dir(s.Log(id)), "volumes", strconv.Itoa(n))
}

// Save writes the record; it replaces an older one whole or not at all.
func (s *Store) Save(r *Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	dir := s.Dir(r)
	durable := !r.AutoRemove()
	_, statErr := os.Stat(dir)
	for _, d := range []string{dir, filepath.Dir(s.Log(r.ID))} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	tmp := filepath.Join(dir, recordName+".tmp")
	if err := write(tmp, text, durable); err != nil {
		os.Remove(tmp)
		return err
	}
	// rename(2) is atomic: a reader, or a daemon after a crash, sees the old record or the new one.
	if err := os.Rename(tmp, filepath.Join(dir, recordName)); err != nil {
		return err
	}
	if !durable {
		return nil
	}
	if err := syncDir(dir); err != nil { // fsync(2): a rename is on disk only when its directory is
		return err
	}
	if errors.Is(statErr, fs.ErrNotExist) {
		return syncDir(filepath.Dir(dir))
	}
	return nil
}

// Delete removes the record first, so that what a crash leaves behind is rubbish and not a container, and then all files.
func (s *Store) Delete(r *Record) error {
	dir := s.Dir(r)
	if err := os.Remove(filepath.Join(dir, recordName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !r.AutoRemove() {
		if err := syncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errors.Join(os.RemoveAll(dir), os.RemoveAll(filepath.Dir(s.Log(r.ID))))
}

// Load reads every record. A directory without a whole record is what a crash left of a create that was never answered, or of a
// remove: it is removed, and named in the second result.
func (s *Store) Load() (all []*Record, swept []string, err error) {
	kept := map[string]bool{}
	for _, parent := range []string{s.inst.RunContainers(), s.inst.LibContainers()} {
		entries, err := os.ReadDir(parent)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range entries {
			dir := filepath.Join(parent, e.Name())
			r, err := read(filepath.Join(dir, recordName))
			if err == nil && r.ID == e.Name() && s.Dir(r) == dir {
				os.Remove(filepath.Join(dir, recordName+".tmp"))
				all = append(all, r)
				kept[r.ID] = true
				continue
			}
			if kept[e.Name()] {
				continue // the log's directory of a --rm container whose record is in the run directory
			}
			os.RemoveAll(dir)
			swept = append(swept, fmt.Sprintf("%s: %v", dir, err))
		}
	}
	return all, swept, nil
}

func read(path string) (*Record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	if r.ID == "" || r.Config == nil || r.HostConfig == nil {
		return nil, errors.New("incomplete record")
	}
	return &r, nil
}

func write(path string, text []byte, durable bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && durable {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
