package image

import (
	"sync"
	"time"

	"github.com/moby/moby/api/types/jsonstream"
	"github.com/opencontainers/go-digest"
)

// Say takes one line of a report in docker's form (definition jsonstream.Message). It is called by several goroutines at once.
type Say func(jsonstream.Message)

// short is how docker shows a digest: its first twelve digits.
func short(d digest.Digest) string {
	if enc := d.Encoded(); len(enc) > 12 {
		return enc[:12]
	}
	return d.Encoded()
}

// status says one word about a layer.
func (say Say) status(id, status string) { say(jsonstream.Message{ID: id, Status: status}) }

// A meter reports how far a stream of total bytes has come, at most ten times a second.
type meter struct {
	say        Say
	id, status string
	total      int64

	mu   sync.Mutex
	done int64
	last time.Time
}

const meterEvery = 100 * time.Millisecond

// at reports that done bytes have passed.
func (m *meter) at(done int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); done > m.done && now.Sub(m.last) >= meterEvery {
		m.done, m.last = done, now
		m.say(jsonstream.Message{ID: m.id, Status: m.status, Progress: &jsonstream.Progress{Current: done, Total: m.total}})
	}
}
