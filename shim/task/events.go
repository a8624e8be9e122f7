package task

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"hull/shim/ttrpc"
	"hull/shim/wire"
	"hull/stages/instance"
)

// maxQueue bounds the events that wait for a containerd that is gone. Only an exec makes events without an end, so it is refused beyond.
const maxQueue = 1024

// A Publisher forwards events to containerd in the order in which they happened. An event that is not taken is tried again for as long as
// the shim lives: whatever happens while containerd is dead reaches the next one.
//
// A goroutine and a connection exist only while something is queued.
type Publisher struct {
	Address   string // containerd's ttrpc socket
	Namespace string

	mu    sync.Mutex
	queue []queued
	busy  bool
	empty chan struct{} // closed when the queue runs empty; nil while nobody waits
}

type queued struct {
	envelope *wire.Envelope
	sent     func()
}

// Publish queues an event and returns at once. sent, if any, is called when containerd has taken it.
func (p *Publisher) Publish(topic string, event wire.Typed, sent func()) {
	e := &wire.Envelope{Timestamp: time.Now(), Namespace: p.Namespace, Topic: topic, Event: wire.Pack(event)}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, queued{e, sent})
	if !p.busy {
		p.busy = true
		go p.run()
	}
}

// Full reports whether no more should be queued.
func (p *Publisher) Full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue) >= maxQueue
}

// Empty is closed once all events so far have been taken.
func (p *Publisher) Empty() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.empty == nil {
		p.empty = make(chan struct{})
	}
	c := p.empty
	if !p.busy {
		close(c)
		p.empty = nil
	}
	return c
}

func (p *Publisher) run() {
	var client *ttrpc.Client
	defer func() {
		if client != nil {
			client.Close()
		}
	}()
	const slowest = 2 * time.Second
	pause := 20 * time.Millisecond
	for {
		p.mu.Lock()
		if len(p.queue) == 0 {
			p.busy = false
			if p.empty != nil {
				close(p.empty)
				p.empty = nil
			}
			p.mu.Unlock()
			return
		}
		next := p.queue[0]
		p.mu.Unlock()

		var err error
		if client == nil {
			client, err = p.dial()
		}
		if err == nil {
			err = p.forward(client, next.envelope)
		}
		if err != nil {
			slog.Warn("event not taken, trying again", "topic", next.envelope.Topic, "err", err)
			if client != nil {
				client.Close()
				client = nil
			}
			time.Sleep(pause)
			pause = min(2*pause, slowest)
			continue
		}
		pause = 20 * time.Millisecond
		if next.sent != nil {
			next.sent()
		}
		p.mu.Lock()
		p.queue = p.queue[1:]
		p.mu.Unlock()
	}
}

// forward sends one event. An answer that says the event itself is wrong will not change, so it counts as taken.
func (p *Publisher) forward(client *ttrpc.Client, e *wire.Envelope) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	metadata := []*wire.KeyValue{{Key: "containerd-namespace-ttrpc", Value: p.Namespace}}
	err := client.Call(ctx, "containerd.services.events.ttrpc.v1.Events", "Forward", metadata, &wire.ForwardRequest{Envelope: e}, &wire.Empty{})
	var status *ttrpc.Status
	if errors.As(err, &status) && (status.Code == ttrpc.InvalidArgument || status.Code == ttrpc.Unimplemented) {
		slog.Error("event refused for good", "topic", e.Topic, "err", err)
		return nil
	}
	return err
}

func (p *Publisher) dial() (*ttrpc.Client, error) {
	path := strings.TrimPrefix(p.Address, "unix://")
	conn, err := instance.Dial(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	return ttrpc.NewClient(conn), nil
}
