package stdio

import (
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Streams' numbers, as in docker's stdcopy frames.
const (
	Stdout = 1
	Stderr = 2
)

// A Log takes a container's output: into a json-file and to the clients of an attach socket. Either may be missing.
type Log struct {
	mu     sync.Mutex // the file: records of the two streams do not mix
	file   *os.File
	out    []byte
	failed bool

	attach *Attach
}

// NewLog opens the log file (0640, appended to) and listens on the attach socket; an empty path means "not this one".
func NewLog(logPath, attachPath string) (*Log, error) {
	l := &Log{}
	if logPath != "" {
		f, err := os.OpenFile(logPath, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
		if err != nil {
			return nil, err
		}
		l.file = f
	}
	if attachPath != "" {
		a, err := ListenAttach(attachPath)
		if err != nil {
			l.file.Close()
			return nil, err
		}
		l.attach = a
	}
	return l, nil
}

// Copy moves one stream into the log until it ends. The log comes first, the clients after it: a client that holds the container back
// holds back only what is written already.
func (l *Log) Copy(stream byte, r io.Reader) {
	s := &splitter{stream: "stdout"}
	if stream == Stderr {
		s.stream = "stderr"
	}
	buf := make([]byte, frameHeader+maxFrame)
	for {
		n, err := r.Read(buf[frameHeader:])
		if n > 0 {
			l.write(func(out []byte) []byte { return s.feed(out, buf[frameHeader:frameHeader+n], time.Now()) })
			l.attach.send(stream, buf[:frameHeader+n])
		}
		if err != nil {
			l.write(func(out []byte) []byte { return s.flush(out, time.Now()) })
			return
		}
	}
}

// write appends whole records by one write(2). A record that does not fit on the disk is cut away again, so that no reader ever meets
// half of one; the container goes on, and the loss is reported once.
func (l *Log) write(records func(out []byte) []byte) {
	if l.file == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = records(l.out[:0])
	if len(l.out) == 0 {
		return
	}
	n, err := l.file.Write(l.out)
	if cap(l.out) > 256<<10 {
		l.out = nil // a burst of control characters made it six times as long; do not keep that
	}
	if err == nil {
		l.failed = false
		return
	}
	if size, serr := l.file.Seek(0, io.SeekEnd); n > 0 && serr == nil {
		l.file.Truncate(size - int64(n))
	}
	if !l.failed {
		slog.Error("the container's log cannot be written; output is lost", "file", l.file.Name(), "err", err)
		l.failed = true
	}
}

// Close ends the log: clients see the end of the stream. Copies must be over.
func (l *Log) Close() {
	if l.file != nil {
		l.file.Close()
	}
	l.attach.Close()
}
