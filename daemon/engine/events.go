package engine

import (
	"strconv"
	"sync"
	"time"

	"hull/daemon/store"

	"github.com/moby/moby/api/types/events"
)

const (
	keptEvents  = 256 // docker's number: how far back "since" can look
	queueEvents = 1024
)

// Events tells listeners what happens to containers, and remembers the last of it.
type Events struct {
	mu        sync.Mutex
	recent    []events.Message
	listeners map[chan events.Message]bool
}

func newEvents() *Events { return &Events{listeners: map[chan events.Message]bool{}} }

// Listen returns what is remembered and a channel of what comes. A listener that does not keep up is cut off, its channel closed: it
// never misses an event without knowing. stop must be called.
func (ev *Events) Listen() (recent []events.Message, c <-chan events.Message, stop func()) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	ch := make(chan events.Message, queueEvents)
	ev.listeners[ch] = true
	return append([]events.Message{}, ev.recent...), ch, func() {
		ev.mu.Lock()
		defer ev.mu.Unlock()
		if ev.listeners[ch] {
			delete(ev.listeners, ch)
			close(ch)
		}
	}
}

// Listeners is how many listen now.
func (ev *Events) Listeners() int {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	return len(ev.listeners)
}

func (ev *Events) publish(m events.Message) {
	now := time.Now()
	m.Scope, m.Time, m.TimeNano = "local", now.Unix(), now.UnixNano()
	ev.mu.Lock()
	defer ev.mu.Unlock()
	if ev.recent = append(ev.recent, m); len(ev.recent) > keptEvents {
		ev.recent = append(ev.recent[:0], ev.recent[1:]...)
	}
	for ch := range ev.listeners {
		select {
		case ch <- m:
		default:
			delete(ev.listeners, ch)
			close(ch)
		}
	}
}

// container publishes an event of one container; more are further attributes, key and value by turns.
func (ev *Events) container(action events.Action, rec store.Record, more ...string) {
	attributes := map[string]string{"name": rec.Name, "image": rec.Image}
	for k, v := range rec.Config.Labels {
		attributes[k] = v
	}
	for i := 0; i+1 < len(more); i += 2 {
		attributes[more[i]] = more[i+1]
	}
	ev.publish(events.Message{Type: events.ContainerEventType, Action: action, Actor: events.Actor{ID: rec.ID, Attributes: attributes}})
}

// image publishes an event of one image.
func (ev *Events) image(action events.Action, id, name string) {
	ev.publish(events.Message{Type: events.ImageEventType, Action: action, Actor: events.Actor{ID: id, Attributes: map[string]string{"name": name}}})
}

func exitCode(code int) string { return strconv.Itoa(code) }
