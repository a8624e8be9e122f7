package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// each does one thing to each named container or image, and goes on after a failure: the others are done, every failure is told, and
// the exit code is 1.
func (a *app) each(c *cobra.Command, names []string, do func(context.Context, *engine.Client, string) error) error {
	client, err := a.connect(c.Context())
	if err != nil {
		return err
	}
	bad := false
	for _, name := range names {
		if err := do(c.Context(), client, name); err != nil {
			a.report(err)
			bad = true
			var refused *engine.APIError
			if !errors.As(err, &refused) {
				break // the daemon has gone: the rest would say the same
			}
		}
	}
	if bad {
		return &exit{code: 1}
	}
	return nil
}

// say prints a name as done.
func (a *app) say(name string) { fmt.Fprintln(a.out, name) }
