package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
)

// An Object is a JSON object: its members in the order in which they came.
type Object struct {
	names  []string
	values map[string]any
	texts  bool // a map of texts: one that is missing is empty
}

// Decode reads one JSON document. Objects become *Object, arrays []any, numbers int64 if they are whole, else float64.
func Decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decode(d, "")
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one JSON document")
	}
	return v, nil
}

func decode(d *json.Decoder, name string) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			list := []any{}
			for d.More() {
				v, err := decode(d, "")
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			_, err = d.Token()
			return list, err
		}
		o := &Object{values: map[string]any{}, texts: strings.Contains(textMaps, " "+name+" ")}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decode(d, key.(string))
			if err != nil {
				return nil, err
			}
			o.Set(key.(string), v)
		}
		_, err = d.Token()
		return o, err
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n, nil
		}
		return t.Float64()
	case nil:
		return Null(name), nil
	}
	return token, nil
}

// Set sets a member; a new one comes last.
func (o *Object) Set(name string, v any) {
	if o.values == nil {
		o.values = map[string]any{}
	}
	if _, ok := o.values[name]; !ok {
		o.names = append(o.names, name)
	}
	o.values[name] = v
}

// Get finds a member by its name, or by the name of the Go field that docker's templates know it as: Id is ID there, NanoCpus NanoCPUs.
func (o *Object) Get(name string) (any, bool) {
	if v, ok := o.values[name]; ok {
		return v, true
	}
	if name != "" && name[0] >= 'A' && name[0] <= 'Z' {
		for _, n := range o.names {
			if n[0] == name[0] && strings.EqualFold(n, name) {
				return o.values[n], true
			}
		}
	}
	return nil, false
}

// Each hands over the members in order.
func (o *Object) Each(f func(name string, v any)) {
	for _, name := range o.names {
		f(name, o.values[name])
	}
}

func (o *Object) sorted() []string {
	names := append([]string{}, o.names...)
	sort.Strings(names)
	return names
}

// String is how a template prints a map.
func (o *Object) String() string {
	var b strings.Builder
	for i, name := range o.sorted() {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s:%v", name, o.values[name])
	}
	return "map[" + b.String() + "]"
}

// A Null is a null by its member's name: a docker template prints it as the Go value that it stands for there.
type Null string

// nullMaps are the members that are maps, nullPointers those that are pointers. Any other null is a list. Constants: a start of the client does
// nothing for them.
const (
	nullMaps = " Labels PortBindings Volumes Data Networks ExposedPorts Ports Tmpfs Options StorageOpt Sysctls Annotations Config" +
		" GraphDriver DriverOpts "
	nullPointers = " PidsLimit OomKillDisable MemorySwappiness Init Health SizeRw SizeRootFs IPAMConfig Healthcheck StopTimeout Swarm "
)

// textMaps are the members that are maps of texts.
const textMaps = " Labels Attributes Annotations Options Sysctls Data DriverOpts "

func (n Null) String() string {
	switch word := " " + string(n) + " "; {
	case n == "" || strings.Contains(nullPointers, word):
		return "<nil>"
	case strings.Contains(nullMaps, word):
		return "map[]"
	}
	return "[]"
}

// JSON is v on one line, as docker writes it: without escapes for HTML.
func JSON(v any) string {
	var b bytes.Buffer
	encode(&b, v)
	return b.String()
}

func encode(b *bytes.Buffer, v any) {
	switch x := v.(type) {
	case *Object:
		b.WriteByte('{')
		for i, name := range x.names {
			if i > 0 {
				b.WriteByte(',')
			}
			encode(b, name)
			b.WriteByte(':')
			encode(b, x.values[name])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range x {
			if i > 0 {
				b.WriteByte(',')
			}
			encode(b, e)
		}
		b.WriteByte(']')
	case Row:
		encode(b, x.object())
	case Null:
		b.WriteString("null")
	default:
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		if e.Encode(x) == nil {
			b.Truncate(b.Len() - 1) // its newline
		}
	}
}
