package collect

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"hull/stages"
)

// A record is what is read of the daemon's container.json.
type record struct {
	ID    string
	State struct {
		Status    string
		ExitCode  int
		StartedAt time.Time
	}
}

// readRecord finds the container's record: of containers with --rm in the run directory, of others in the library.
func (c *collector) readRecord(id string) (rec record, file string, err error) {
	for _, dir := range []string{c.inst.RunContainers(), c.inst.LibContainers()} {
		file = filepath.Join(dir, id, "container.json")
		var text []byte
		if text, err = os.ReadFile(file); err == nil {
			return rec, file, json.Unmarshal(text, &rec)
		}
	}
	return rec, file, err
}

func (c *collector) lookAtRecord(r *run) {
	id := r.target.id
	if id == "" || filepath.Base(id) != id {
		return
	}
	rec, file, err := c.readRecord(id)
	r.sawWhile(r.target.creator, stages.StateContainerRecord, err == nil && rec.ID == id, "%s: %s", file, found(err))
}

// lookAtObserved compares the daemon's record with the kernel's exit code, when all is over. A record that is gone counts: with --rm the
// daemon removes it because it knows of the exit.
func (c *collector) lookAtObserved(r *run) {
	t := &r.target
	if t.id == "" || t.exit == nil || filepath.Base(t.id) != t.id {
		return
	}
	switch rec, file, err := c.readRecord(t.id); {
	case os.IsNotExist(err):
		r.saw(stages.StateExitObserved, true, "the record is removed")
	case err != nil:
		r.saw(stages.StateExitObserved, false, "%s: %s", file, err)
	case rec.State.StartedAt.UnixNano() > t.exitTime:
		r.unread(stages.StateExitObserved, "read too late: the container has been started again, at %s", rec.State.StartedAt.Format(time.RFC3339Nano))
	default:
		ok := rec.State.Status != "running" && rec.State.Status != "created" && rec.State.ExitCode == *t.exit
		r.saw(stages.StateExitObserved, ok, "%s says %s, exit code %d; the kernel saw %d", file, rec.State.Status, rec.State.ExitCode, *t.exit)
	}
}
