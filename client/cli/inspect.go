package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// lookup fetches one object as JSON.
type lookup func(context.Context, *engine.Client, string) (json.RawMessage, error)

func inspectContainer(ctx context.Context, c *engine.Client, name string) (json.RawMessage, error) {
	return c.Inspect(ctx, name)
}

func inspectImage(ctx context.Context, c *engine.Client, name string) (json.RawMessage, error) {
	return c.InspectImage(ctx, name)
}

// inspectAny takes the name for a container's first, then for an image's.
func inspectAny(ctx context.Context, c *engine.Client, name string) (json.RawMessage, error) {
	raw, err := c.Inspect(ctx, name)
	if engine.IsNotFound(err) {
		raw, err = c.InspectImage(ctx, name)
	}
	if engine.IsNotFound(err) {
		err = errNoObject(name)
	}
	return raw, err
}

// errNoObject is docker's wording.
type errNoObject string

func (e errNoObject) Error() string { return "Error: No such object: " + string(e) }

// inspectCommand is `hull inspect`.
func (a *app) inspectCommand() *cobra.Command {
	return a.inspectVerb("inspect [OPTIONS] NAME|ID [NAME|ID...]", "Return low-level information on containers and images", inspectAny)
}

// containerInspectCommand is `hull container inspect`.
func (a *app) containerInspectCommand() *cobra.Command {
	return a.inspectVerb("inspect [OPTIONS] CONTAINER [CONTAINER...]", "Display detailed information on one or more containers", inspectContainer)
}

// imageInspectCommand is `hull image inspect`.
func (a *app) imageInspectCommand() *cobra.Command {
	return a.inspectVerb("inspect [OPTIONS] IMAGE [IMAGE...]", "Display detailed information on one or more images", inspectImage)
}

// inspectVerb prints a JSON array of what was found, in the daemon's own words and order, then tells what was not.
func (a *app) inspectVerb(use, short string, find lookup) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args(1, -1), DisableFlagsInUseLine: true, RunE: func(c *cobra.Command, names []string) error {
		client, err := a.connect(c.Context())
		if err != nil {
			return err
		}
		found := []json.RawMessage{}
		var failures []error
		for _, name := range names {
			raw, err := find(c.Context(), client, name)
			if err != nil {
				failures = append(failures, err)
				continue
			}
			found = append(found, raw)
		}
		a.printArray(found)
		for _, err := range failures {
			a.report(err)
		}
		if len(failures) > 0 {
			return &exit{code: 1}
		}
		return nil
	}}
}

func (a *app) printArray(list []json.RawMessage) {
	joined := append(append([]byte("["), bytes.Join(toBytes(list), []byte(","))...), ']')
	var out bytes.Buffer
	if err := json.Indent(&out, joined, "", "    "); err != nil {
		out.Reset()
		out.Write(joined) // each part was decoded before; still, what came is worth more than an error about its form
	}
	fmt.Fprintln(a.out, out.String())
}

func toBytes(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, raw := range list {
		out[i] = raw
	}
	return out
}
