// Package detach knows the keys that leave a terminal without ending its program: docker's --detach-keys. Both ends watch for them: the client, which
// keeps them to itself, and the daemon, for clients that do not.
package detach

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Err ends the input of a user who leaves a program running. Its words are docker's.
var Err = errors.New("read escape sequence")

// Default are the keys that leave a terminal without ending its program: docker's default.
const Default = "ctrl-p,ctrl-q"

// Parse reads a sequence of keys as docker writes one: single characters and ctrl-KEY, with commas between. KEY is a letter or
// one of @ [ \ ] ^ _; DEL is the character 127.
func Parse(s string) ([]byte, error) {
	var keys []byte
	for _, word := range strings.Split(s, ",") {
		key, ctrl := strings.CutPrefix(strings.ToLower(word), "ctrl-")
		switch {
		case word == "DEL":
			keys = append(keys, 127)
		case ctrl && len(key) == 1 && (key[0] >= 'a' && key[0] <= 'z'):
			keys = append(keys, key[0]-'a'+1)
		case ctrl && len(key) == 1 && strings.Contains(`@[\]^_`, key):
			keys = append(keys, key[0]-'@')
		case len(word) == 1:
			keys = append(keys, word[0])
		default:
			return nil, fmt.Errorf("invalid detach keys (%s) provided", s)
		}
	}
	return keys, nil
}

// A Reader passes a terminal's input on until all of keys have come one after the other. What may be their beginning is held back until
// the next byte says whether it was meant.
type Reader struct {
	r    io.Reader
	keys []byte
	held int    // how many of keys have come
	out  []byte // decided and not yet handed over
	err  error  // comes after out
}

// NewReader watches r for the keys; "" are docker's.
func NewReader(r io.Reader, keys string) (*Reader, error) {
	if keys == "" {
		keys = Default
	}
	sequence, err := Parse(keys)
	return &Reader{r: r, keys: sequence}, err
}

// Read ends with Err after the keys; bytes that were held back when the input ended are handed over first.
func (d *Reader) Read(p []byte) (int, error) {
	for len(d.out) == 0 && d.err == nil && len(p) > 0 {
		n, err := d.r.Read(p)
		d.take(p[:n])
		if d.err == nil && err != nil {
			d.out, d.err = append(d.out, d.keys[:d.held]...), err
		}
	}
	n := copy(p, d.out)
	if d.out = d.out[n:]; len(d.out) > 0 || d.err == nil {
		return n, nil
	}
	return n, d.err
}

func (d *Reader) take(in []byte) {
	for _, b := range in {
		if b == d.keys[d.held] {
			if d.held++; d.held == len(d.keys) {
				d.err = Err
				return
			}
			continue
		}
		// Not the sequence; but what was held back may end in another beginning of it, as the second of two ctrl-p before a ctrl-q.
		come := append(bytes.Clone(d.keys[:d.held]), b)
		for d.held = len(come) - 1; d.held > 0 && !bytes.Equal(come[len(come)-d.held:], d.keys[:d.held]); {
			d.held--
		}
		d.out = append(d.out, come[:len(come)-d.held]...)
	}
}
