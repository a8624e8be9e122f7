package collect

import (
	"encoding/json"
	"os"
	"path/filepath"

	"hull/stages"
	"hull/trace/model"
)

// lookAtExit reads the shim's exit record (docs/seams.md, section 3) and holds it against the kernel's exit code. While the runtime's delete goes
// on, the bundle is there; when all is over and no delete was seen, the bundle itself says whether the look came in time.
func (c *collector) lookAtExit(r *run, deleting model.Proc) {
	t := &r.target
	if t.bundle == "" || t.exit == nil || t.looked {
		return
	}
	t.looked = true
	file := filepath.Join(t.bundle, "exit.json")
	text, err := os.ReadFile(file)
	var rec struct{ PID, Status int }
	if err == nil {
		err = json.Unmarshal(text, &rec)
	}
	if os.IsNotExist(err) && !lives(deleting) {
		if _, gone := os.Stat(t.bundle); deleting.PID != 0 || gone != nil {
			r.unread(stages.StateExitRecord, "read too late: %s had been removed with its bundle", file)
			return
		}
	}
	r.saw(stages.StateExitRecord, err == nil && rec.Status == *t.exit && rec.PID == t.init.PID,
		"%s: %s, status %d of pid %d; the kernel saw %d of pid %d", file, found(err), rec.Status, rec.PID, *t.exit, t.init.PID)
}
