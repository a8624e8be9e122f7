package command

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// A logger appends lines to the file of --log. Callers read the last line with level "error" as the reason of a failure.
type logger struct {
	file, format string
	debug        bool
}

func (l *logger) write(level, msg string) {
	if l.file == "" || level == "debug" && !l.debug {
		return
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	line := fmt.Sprintf("time=%q level=%s msg=%q\n", now, level, msg)
	if l.format == "json" {
		text, err := json.Marshal(struct {
			Level string `json:"level"`
			Msg   string `json:"msg"`
			Time  string `json:"time"`
		}{level, msg, now})
		if err != nil {
			return
		}
		line = string(text) + "\n"
	}
	f, err := os.OpenFile(l.file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, "hull-runc: --log: "+err.Error())
		return
	}
	defer f.Close()
	f.WriteString(line)
}

func (l *logger) warn(msg string) { l.write("warning", msg) }
