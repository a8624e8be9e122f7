package cli

import (
	"errors"
	"strings"

	"hull/client/engine"
)

// A filterValue is the --filter flag: NAME=VALUE, several times.
type filterValue struct{ filters *engine.Filters }

func (v filterValue) Set(s string) error {
	if s == "" {
		return nil
	}
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return errors.New("bad format of filter (expected name=value)")
	}
	if *v.filters == nil {
		*v.filters = engine.Filters{}
	}
	name = strings.ToLower(strings.TrimSpace(name))
	(*v.filters)[name] = append((*v.filters)[name], strings.TrimSpace(value))
	return nil
}
func (v filterValue) Type() string   { return "filter" }
func (v filterValue) String() string { return "" }
