package collect

import (
	"encoding/json"
	"os"
	"path/filepath"

	"hull/stages"
)

// lookAtExit reads the shim's exit record (docs/seams.md, section 3) and holds it against the kernel's exit code.
func (c *collector) lookAtExit(r *run) {
	t := &r.target
	if t.bundle == "" || t.exit == nil || t.looked {
		return
	}
	file := filepath.Join(t.bundle, "exit.json")
	text, err := os.ReadFile(file)
	var rec struct{ PID, Status int }
	if err == nil {
		err = json.Unmarshal(text, &rec)
	}
	t.looked = err == nil
	r.saw(stages.StateExitRecord, err == nil && rec.Status == *t.exit && rec.PID == t.init.PID,
		"%s: %s, status %d of pid %d; the kernel saw %d of pid %d", file, found(err), rec.Status, rec.PID, *t.exit, t.init.PID)
}
