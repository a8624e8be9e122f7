package server

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/moby/moby/api/types/jsonstream"
)

// A report is the answer of a long call: JSON lines, each sent as it comes. Until the first line nothing has been answered, and an error
// is an ordinary one; after it the status 200 is out, and an error can only be a last line.
type report struct {
	w http.ResponseWriter

	mu    sync.Mutex
	begun bool
}

// say sends one line.
func (p *report) say(m jsonstream.Message) { p.send(m) }

func (p *report) send(line any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.begun {
		p.begun = true
		p.w.Header().Set("Content-Type", "application/json")
		p.w.WriteHeader(http.StatusOK)
	}
	json.NewEncoder(p.w).Encode(line)       // a client that left is seen by the request's context
	http.NewResponseController(p.w).Flush() // the same
}

// end takes the call's error: it is returned to be answered, or has been sent.
func (p *report) end(err error) error {
	p.mu.Lock()
	begun := p.begun
	p.mu.Unlock()
	if err == nil || !begun {
		return err
	}
	// Clients before 1.4 read "error", all others "errorDetail".
	p.send(map[string]any{"errorDetail": map[string]string{"message": err.Error()}, "error": err.Error()})
	return nil
}
