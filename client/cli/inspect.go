package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/client/format"
)

// inspectOptions are the flags of inspect.
type inspectOptions struct {
	format string
	size   bool
	kind   string // --type; "" for whatever has the name
}

// lookup fetches one object as JSON.
type lookup func(ctx context.Context, c *engine.Client, name string, o inspectOptions) (json.RawMessage, error)

// inspectable are the objects that inspect knows, in the order in which it looks for a name.
var inspectable = []struct {
	kind string
	find lookup
}{{"container", inspectContainer}, {"image", inspectImage}}

func inspectContainer(ctx context.Context, c *engine.Client, name string, o inspectOptions) (json.RawMessage, error) {
	return c.Inspect(ctx, name, o.size)
}

func inspectImage(ctx context.Context, c *engine.Client, name string, _ inspectOptions) (json.RawMessage, error) {
	return c.InspectImage(ctx, name)
}

// inspectAny takes the name for a container's first, then for an image's, and so on.
func inspectAny(ctx context.Context, c *engine.Client, name string, o inspectOptions) (json.RawMessage, error) {
	for _, i := range inspectable {
		if o.kind != "" && o.kind != i.kind {
			continue
		}
		raw, err := i.find(ctx, c, name, o)
		if o.kind != "" || !engine.IsNotFound(err) {
			return raw, err
		}
	}
	return nil, saidf("Error: No such object: %s", name)
}

// inspectCommand is `hull inspect`.
func (a *app) inspectCommand() *cobra.Command {
	o := &inspectOptions{}
	c := a.inspectVerb("inspect [OPTIONS] NAME|ID [NAME|ID...]", "Return low-level information on hull objects", inspectAny, o)
	c.Flags().BoolVarP(&o.size, "size", "s", false, "Display total file sizes if the type is container")
	c.Flags().StringVar(&o.kind, "type", "", "Only inspect objects of the given type")
	return c
}

// containerInspectCommand is `hull container inspect`.
func (a *app) containerInspectCommand() *cobra.Command {
	o := &inspectOptions{}
	c := a.inspectVerb("inspect [OPTIONS] CONTAINER [CONTAINER...]", "Display detailed information on one or more containers", inspectContainer, o)
	c.Flags().BoolVarP(&o.size, "size", "s", false, "Display total file sizes")
	return c
}

// imageInspectCommand is `hull image inspect`.
func (a *app) imageInspectCommand() *cobra.Command {
	return a.inspectVerb("inspect [OPTIONS] IMAGE [IMAGE...]", "Display detailed information on one or more images", inspectImage, &inspectOptions{})
}

// inspectVerb prints what was found, as a JSON array in the daemon's own words and order or each by the template, then tells what was not.
func (a *app) inspectVerb(use, short string, find lookup, o *inspectOptions) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: args(1, -1), DisableFlagsInUseLine: true}
	c.Flags().StringVarP(&o.format, "format", "f", "", formatOneHelp)
	c.RunE = func(c *cobra.Command, names []string) error {
		show, err := a.printer(*o)
		if err != nil {
			return err
		}
		client, err := a.connect(c.Context())
		if err != nil {
			return err
		}
		var found []json.RawMessage
		var failures []error
		for _, name := range names {
			raw, err := find(c.Context(), client, name, *o)
			if err != nil {
				failures = append(failures, err)
				continue
			}
			found = append(found, raw)
		}
		failures = append(failures, show(found)...)
		for _, err := range failures {
			a.report(err)
		}
		if len(failures) > 0 {
			return &exit{code: 1}
		}
		return nil
	}
	return c
}

// printer checks what can be checked before the daemon is asked.
func (a *app) printer(o inspectOptions) (func([]json.RawMessage) []error, error) {
	if o.kind != "" {
		var kinds []string
		known := false
		for _, i := range inspectable {
			kinds = append(kinds, `"`+i.kind+`"`)
			known = known || i.kind == o.kind
		}
		if !known {
			return nil, saidf("unknown type: %q: must be one of %s", o.kind, strings.Join(kinds, ", "))
		}
		if o.size && o.kind != "container" {
			fmt.Fprintf(a.err, "WARNING: --size ignored for %ss\n", o.kind)
		}
	}
	switch o.format {
	case "":
		return func(list []json.RawMessage) []error { return a.printArray(list, "    ") }, nil
	case "json":
		return func(list []json.RawMessage) []error { return a.printArray(list, "") }, nil
	}
	t, err := oneTemplate(o.format)
	if err != nil {
		return nil, &exit{64, saidf("template parsing error: %v", err)} // EX_USAGE, docker's choice here
	}
	return func(list []json.RawMessage) []error { return a.printEach(list, t) }, nil
}

// printEach prints one line for each object. Those that the template does not fit are named after the others have been printed.
func (a *app) printEach(list []json.RawMessage, t *format.Template) (failures []error) {
	var out bytes.Buffer
	for _, raw := range list {
		var line bytes.Buffer
		v, err := format.Decode(raw)
		if err == nil {
			err = t.Execute(&line, v)
		}
		if err != nil {
			failures = append(failures, saidf("template parsing error: %v", err))
			continue
		}
		fmt.Fprintln(&out, line.String())
	}
	if out.Len() == 0 {
		out.WriteByte('\n')
	}
	a.out.Write(out.Bytes())
	return failures
}

// printArray prints the objects as one array: a member on each line, or all on one if there is no indent.
func (a *app) printArray(list []json.RawMessage, indent string) []error {
	joined := append(append([]byte("["), bytes.Join(toBytes(list), []byte(","))...), ']')
	var out bytes.Buffer
	var err error
	if indent == "" {
		err = json.Compact(&out, joined)
	} else {
		err = json.Indent(&out, joined, "", indent)
	}
	if err != nil {
		out.Reset()
		out.Write(joined) // each part was decoded before; still, what came is worth more than an error about its form
	}
	fmt.Fprintln(a.out, out.String())
	return nil
}

func toBytes(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, raw := range list {
		out[i] = raw
	}
	return out
}
