package server

import (
	"errors"

	"github.com/containerd/containerd/v2/pkg/filters"

	"hull/stages"
)

// The causes that several services name.
var (
	errLabel     = errors.New("a label's key and value have together 1 to 4096 bytes")
	errImmutable = errors.New("it cannot be changed")
	errNoName    = errors.New("it has no name")
	errHasTask   = errors.New("it has a task")
	errMoved     = errors.New("not found: the name points to another digest by now")
)

// parseFilters reads containerd's filter language; no filter matches all.
func parseFilters(expressions []string) (filters.Filter, error) {
	f, err := filters.ParseAll(expressions...)
	if err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "filter", Err: err}
	}
	return f, nil
}
