package network

// A removal is a cable on its way out. It takes the kernel some 30 ms (it waits until no CPU can still hold a packet of the link), so the end of
// a container does not wait for it; the container's address and its next start do.
type removal struct {
	done    chan struct{}
	release bool // the container is gone as well: the address is free afterwards
}

// remove takes the cable away behind the caller's back. Its other end goes with it.
func (b *Bridge) remove(id string) {
	r := &removal{done: make(chan struct{})}
	b.mu.Lock()
	b.going[id] = r
	b.mu.Unlock()
	go func() {
		defer close(r.done)
		if link, err := b.host.LinkByName(cable(id)); err == nil {
			report("cable of "+id, b.host.LinkDel(link))
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.going, id)
		if r.release {
			b.free(id)
		}
	}()
}

// awaitRemoval returns when the container's last cable is gone.
func (b *Bridge) awaitRemoval(id string) {
	b.mu.Lock()
	r := b.going[id]
	b.mu.Unlock()
	if r != nil {
		<-r.done
	}
}

// Release gives a container's address back. With wait it returns when nothing of the container's network is left.
func (b *Bridge) Release(id string, wait bool) {
	b.mu.Lock()
	if r := b.going[id]; r != nil {
		r.release = true
	} else {
		b.free(id)
	}
	b.mu.Unlock()
	if wait {
		b.awaitRemoval(id)
	}
}

// free needs b.mu.
func (b *Bridge) free(id string) {
	for a, owner := range b.used {
		if owner == id {
			delete(b.used, a)
		}
	}
}
