package cli

import (
	"errors"
	"io"
)

// errDetach ends the input of a user who leaves a container running.
var errDetach = errors.New("detached")

// The keys that leave a terminal without ending its container: docker's default, ctrl-p ctrl-q.
const detachFirst, detachSecond = 0x10, 0x11

// detachKeys passes a terminal's input on until the two keys come one after the other. A ctrl-p is held back until the next byte says
// whether it was meant.
type detachKeys struct {
	r    io.Reader
	held bool
}

func (d *detachKeys) Read(p []byte) (int, error) {
	if len(p) < 2 {
		return 0, io.ErrShortBuffer
	}
	buf := make([]byte, len(p)/2) // each byte may bring a held one along
	n, err := d.r.Read(buf)
	out := p[:0]
	for _, b := range buf[:n] {
		if d.held {
			d.held = false
			if b == detachSecond {
				return len(out), errDetach
			}
			out = append(out, detachFirst)
		}
		if b == detachFirst {
			d.held = true
			continue
		}
		out = append(out, b)
	}
	return len(out), err
}
