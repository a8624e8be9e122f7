package image

import (
	"context"
	"sync"
)

// pulls lets pulls of one reference follow each other: the second finds what the first has fetched.
type pulls struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the pull under way ends
}

// lock waits for the reference's turn, as long as the caller does.
func (p *pulls) lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		p.mu.Lock()
		other, busy := p.busy[name]
		if !busy {
			mine := make(chan struct{})
			if p.busy == nil {
				p.busy = map[string]chan struct{}{}
			}
			p.busy[name] = mine
			p.mu.Unlock()
			return func() {
				p.mu.Lock()
				delete(p.busy, name)
				p.mu.Unlock()
				close(mine)
			}, nil
		}
		p.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
