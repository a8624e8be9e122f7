package span

import (
	"encoding/hex"
	"strings"

	"golang.org/x/sys/unix"
)

// A Context is the place of a span in its trace: what crosses every process boundary as a W3C traceparent
// (https://www.w3.org/TR/trace-context/: "00-" trace id "-" span id "-01").
type Context struct {
	Trace [16]byte
	Span  [8]byte
}

// Valid reports whether both ids are set.
func (c Context) Valid() bool { return c.Trace != [16]byte{} && c.Span != [8]byte{} }

// TraceID is the trace id in 32 hex digits.
func (c Context) TraceID() string { return hex.EncodeToString(c.Trace[:]) }

// String is the traceparent, or "" for an invalid context.
func (c Context) String() string {
	if !c.Valid() {
		return ""
	}
	return "00-" + hex.EncodeToString(c.Trace[:]) + "-" + hex.EncodeToString(c.Span[:]) + "-01"
}

// Parse reads a traceparent. Anything malformed gives an invalid Context: a bad header must never stop a run. A context whose sampled
// flag is off is invalid as well: nobody asked for a trace.
func Parse(traceparent string) Context {
	var c Context
	part := strings.Split(traceparent, "-")
	if len(part) < 4 || len(part[0]) != 2 || part[0] == "ff" || len(part[1]) != 32 || len(part[2]) != 16 || len(part[3]) != 2 {
		return c
	}
	flags, err := hex.DecodeString(part[3])
	if err != nil || flags[0]&1 == 0 {
		return c
	}
	if _, err := hex.Decode(c.Trace[:], []byte(part[1])); err != nil {
		return Context{}
	}
	if _, err := hex.Decode(c.Span[:], []byte(part[2])); err != nil {
		return Context{}
	}
	return c
}

// NewTrace is the context of a new trace's root: a random trace id and no span yet. Spans started under it are roots.
func NewTrace() Context {
	var c Context
	random(c.Trace[:])
	return c
}

// random fills b, of at most 256 bytes: such a read is neither cut short nor interrupted once the kernel has its entropy (getrandom(2)).
// crypto/rand reads the same source, and would bring its self-tests and math/big into every short-lived binary.
func random(b []byte) {
	for {
		if n, err := unix.Getrandom(b, 0); err == nil && n == len(b) {
			return
		} else if err != nil && err != unix.EINTR {
			panic("getrandom: " + err.Error()) // Linux 3.17 and later have it
		}
	}
}

func newSpanID() (id [8]byte) {
	for id == [8]byte{} {
		random(id[:])
	}
	return id
}
