// Package logfile reads docker's json-file logs: a container's output as hull-shim wrote it, while it is being written or long after.
//
// It is called by daemon/engine. It only reads: the daemon is not in the log's path, which is why a log has no gap when the daemon dies.
package logfile

import (
	"bytes"
	"encoding/json"
	"time"
)

// An Entry is one record: a line of output, or a part of a long one.
type Entry struct {
	Log    string    `json:"log"`
	Stream string    `json:"stream"`
	Time   time.Time `json:"time"`
}

// maxRecord bounds one record in the file. The writer cuts lines at 16 KiB; a byte may take six in JSON.
const maxRecord = 1 << 20

// parse reads one record. After a power cut a part of the file may hold zero bytes; records behind them are whole.
func parse(line []byte) (e Entry, ok bool) {
	line = bytes.TrimLeft(line, "\x00")
	return e, json.Unmarshal(line, &e) == nil
}
