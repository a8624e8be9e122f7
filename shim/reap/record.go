package reap

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The records in the bundle: docs/seams.md, section 3.
const (
	fileExit = "exit.json"
	fileInit = "init.pid"
)

type record struct {
	PID      int    `json:"pid"`
	Status   int    `json:"status"`
	ExitedAt string `json:"exitedAt"`

	OOMKilled bool `json:"oomKilled,omitempty"`
}

// WriteExit writes the container's exit into its bundle. It is called before anybody is told: whoever was dead at that moment reads it
// later. The file appears whole or not at all (rename(2)). There is no fsync: the bundle lives in memory and dies with the machine, as the
// process did.
func WriteExit(bundle string, e Exit) error {
	b, err := json.Marshal(record{e.PID, e.Status, e.At.UTC().Format(time.RFC3339Nano), e.OOMKilled})
	if err != nil {
		return err
	}
	return replace(filepath.Join(bundle, fileExit), append(b, '\n'))
}

// ReadExit reads the record back.
func ReadExit(bundle string) (Exit, error) {
	b, err := os.ReadFile(filepath.Join(bundle, fileExit))
	if err != nil {
		return Exit{}, err
	}
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return Exit{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, r.ExitedAt)
	return Exit{PID: r.PID, Status: r.Status, At: at, OOMKilled: r.OOMKilled}, err
}

// InitFile is the file of the bundle into which the runtime writes the pid of the container's first process (its --pid-file).
func InitFile(bundle string) string { return filepath.Join(bundle, fileInit) }

// ReadInit reads that pid; 0 if it was never written.
func ReadInit(bundle string) int { return ReadPID(InitFile(bundle)) }

// ReadPID reads a file that holds one pid; 0 if there is none.
func ReadPID(path string) int {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

func replace(path string, content []byte) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, content, 0o600); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		os.Remove(tmp)
		return err
	}
	return nil
}
