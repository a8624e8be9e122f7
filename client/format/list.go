package format

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A Row is one line of a list: the values of its columns, by the names under which templates know them. Calls are those that take an argument:
// {{.Label "maintainer"}}.
type Row struct {
	Type   string // in errors
	Values map[string]any
	Calls  map[string]func(string) string
}

func (r Row) field(name string, args []any) (any, error) {
	if call := r.Calls[name]; call != nil {
		if len(args) != 1 {
			return nil, fmt.Errorf("wrong number of args for %s: want 1 got %d", name, len(args))
		}
		arg, ok := args[0].(string)
		if !ok {
			return nil, wrongType("string", args[0])
		}
		return call(arg), nil
	}
	v, ok := r.Values[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("can't evaluate field %s in type %s", name, r.Type)
	case len(args) > 0:
		return nil, fmt.Errorf("wrong number of args for %s: want 0 got %d", name, len(args))
	}
	return v, nil
}

func (r Row) String() string { return r.object().String() }

// object is the row as JSON has it: in the order of the names.
func (r Row) object() *Object {
	o := &Object{}
	for name, v := range r.Values {
		o.Set(name, v)
	}
	o.names = o.sorted()
	return o
}

// A List prints rows in the forms that --format knows: "table", "table TEMPLATE", "json", or a template for each row.
type List struct {
	Heads map[string]string // the head of each column
	Table string            // the template of the usual table's rows
	Raw   string            // the template of "raw"; "" where docker knows none
}

// Print prints the rows.
func (l List) Print(w io.Writer, format string, rows []Row) error {
	text, table := strings.CutPrefix(strings.TrimSpace(format), "table")
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		text, table = l.Table, true
	case !table && text == "json":
		text = "{{json .}}"
	case !table && text == "raw" && l.Raw != "":
		text = l.Raw
	}
	t, err := Parse(strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(text))
	if err != nil {
		return fmt.Errorf("failed to parse template: %w", err)
	}
	out := w
	if table {
		columns := tabwriter.NewWriter(w, 10, 1, 3, ' ', 0)
		defer columns.Flush()
		head := Row{Values: map[string]any{}, Calls: map[string]func(string) string{}}
		for name, title := range l.Heads {
			head.Values[name] = title
		}
		if len(rows) > 0 {
			head.Type = rows[0].Type
			for name := range rows[0].Calls { // such a column is headed by its argument
				head.Calls[name] = func(arg string) string {
					return strings.NewReplacer("-", " ", "_", " ").Replace(arg[strings.LastIndexByte(arg, '.')+1:])
				}
			}
		}
		var b strings.Builder
		if err := t.execute(&b, head, true); err != nil && len(rows) == 0 {
			return fmt.Errorf("failed to execute template: %w", err)
		}
		fmt.Fprintln(columns, b.String())
		out = columns
	}
	for _, row := range rows {
		var b strings.Builder
		if err := t.Execute(&b, row); err != nil {
			return fmt.Errorf("failed to execute template: %w", err)
		}
		fmt.Fprintln(out, b.String())
	}
	return nil
}
