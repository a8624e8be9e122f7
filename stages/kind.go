package stages

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// A Kind says what went wrong, in the few ways that a caller can act on. Kinds cross process boundaries as an HTTP status, a gRPC code
// or an exit code; kinds.go of no other package may translate them, this table does.
type Kind uint8

const (
	Internal    Kind = iota // a defect or an unforeseen state
	Invalid                 // the request is wrong as it stands
	NotFound                // the named thing does not exist
	Conflict                // the name is taken, or the thing is in the wrong state
	Denied                  // the caller, or we, may not
	Unavailable             // the other side is not there (yet)
	Unsupported             // known and not offered here, or refused by name
	Exhausted               // no memory, no space, a limit reached
	NotRunnable             // the container's program is there and cannot be executed: exit 126
	NoProgram               // the container's program is not there: exit 127
	kindCount
)

// kinds is the one translation table. HTTP statuses are the Engine API's; gRPC codes are the numbers of google.golang.org/grpc/codes;
// exit codes are docker's.
var kinds = [kindCount]struct {
	name string
	http int
	grpc uint32
	exit int
}{
	Internal:    {"internal", 500, 13, 125},
	Invalid:     {"invalid", 400, 3, 125},
	NotFound:    {"not found", 404, 5, 125},
	Conflict:    {"conflict", 409, 6, 125},
	Denied:      {"denied", 403, 7, 125},
	Unavailable: {"unavailable", 503, 14, 125},
	Unsupported: {"unsupported", 501, 12, 125},
	Exhausted:   {"exhausted", 507, 8, 125},
	NotRunnable: {"not runnable", 400, 9, 126},
	NoProgram:   {"no program", 404, 9, 127},
}

func (k Kind) String() string { return kinds[k].name }

// HTTP is the status with which the Engine API answers an error of this kind.
func (k Kind) HTTP() int { return kinds[k].http }

// GRPC is the gRPC status code, as a number so that short-lived binaries need not link gRPC.
func (k Kind) GRPC() uint32 { return kinds[k].grpc }

// Exit is the exit code of a command that ends with an error of this kind.
func (k Kind) Exit() int { return kinds[k].exit }

// An Error names the step it happened in, the thing it happened to, its cause, and the way out. It prints on one line:
// "step: thing: cause (way out)".
type Error struct {
	Step  ID
	Kind  Kind
	Thing string // a path, a name, an id; may be empty
	Err   error  // the cause; a system call's error carries the errno
	Hint  string // what the reader can do about it; may be empty
}

func (e *Error) Error() string {
	s := ""
	if e.Step != None {
		s = e.Step.String() + ": "
	}
	switch {
	case strings.ContainsFunc(e.Thing, unicode.IsControl): // a name that somebody chose: with a newline it would be a line of its own in a log
		s += strconv.Quote(e.Thing) + ": "
	case e.Thing != "":
		s += e.Thing + ": "
	}
	s += fmt.Sprint(e.Err)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the outermost *Error in err's chain, or Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
