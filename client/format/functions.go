package format

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
	"unicode/utf8"
)

// A function of the template language.
type function struct {
	least, most  int // arguments; most < 0 is no limit
	call         func([]any) (any, error)
	leavesTitles bool // in the head of a table it returns its argument
}

// functions are text/template's and docker's (docker/cli, templates/templates.go). "and" and "or" are part of the evaluator. js and call are
// left out: nothing here is a function, or goes into a script. It is filled by known, so that a start of the client does not.
var functions map[string]function

// known makes the functions and returns their names, for the parser.
func known() map[string]any {
	functions = map[string]function{
		"print":    {0, -1, func(a []any) (any, error) { return fmt.Sprint(a...), nil }, false},
		"println":  {0, -1, func(a []any) (any, error) { return fmt.Sprintln(a...), nil }, false},
		"printf":   {1, -1, printf, false},
		"len":      {1, 1, length, false},
		"index":    {1, -1, index, false},
		"slice":    {1, 4, slice, false},
		"not":      {1, 1, func(a []any) (any, error) { return !truth(a[0]), nil }, false},
		"eq":       {2, -1, equal, false},
		"ne":       {2, 2, func(a []any) (any, error) { v, err := equal(a); return v == false, err }, false},
		"lt":       {2, 2, compare(func(c int) bool { return c < 0 }), false},
		"le":       {2, 2, compare(func(c int) bool { return c <= 0 }), false},
		"gt":       {2, 2, compare(func(c int) bool { return c > 0 }), false},
		"ge":       {2, 2, compare(func(c int) bool { return c >= 0 }), false},
		"html":     {0, -1, func(a []any) (any, error) { return html.EscapeString(fmt.Sprint(a...)), nil }, false},
		"urlquery": {0, -1, func(a []any) (any, error) { return url.QueryEscape(fmt.Sprint(a...)), nil }, false},

		"json":     {1, 1, func(a []any) (any, error) { return JSON(a[0]), nil }, true},
		"split":    {2, 2, split, true},
		"join":     {2, 2, join, true},
		"title":    {1, 1, onText(title), true},
		"lower":    {1, 1, onText(strings.ToLower), true},
		"upper":    {1, 1, onText(strings.ToUpper), true},
		"truncate": {2, 2, truncate, true},
		"pad":      {3, 3, pad, false},
	}
	names := map[string]any{"and": 0, "or": 0}
	for name := range functions {
		names[name] = 0
	}
	return names
}

func wrongType(want string, got any) error {
	return fmt.Errorf("wrong type for value; expected %s; got %s", want, kind(got))
}

func onText(f func(string) string) func([]any) (any, error) {
	return func(a []any) (any, error) {
		s, ok := a[0].(string)
		if !ok {
			return nil, wrongType("string", a[0])
		}
		return f(s), nil
	}
}

// title makes the first letter of each word large.
func title(s string) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		start := before == ' ' || before == '\t' || before == '\n'
		if before = r; start {
			return []rune(strings.ToUpper(string(r)))[0]
		}
		return r
	}, s)
}

func printf(a []any) (any, error) {
	format, ok := a[0].(string)
	if !ok {
		return nil, wrongType("string", a[0])
	}
	return fmt.Sprintf(format, a[1:]...), nil
}

func length(a []any) (any, error) {
	switch x := a[0].(type) {
	case string:
		return int64(len(x)), nil
	case []any:
		return int64(len(x)), nil
	case *Object:
		return int64(len(x.names)), nil
	case Null:
		return int64(0), nil
	}
	return nil, fmt.Errorf("len of type %s", kind(a[0]))
}

func index(a []any) (any, error) {
	v := a[0]
	for _, i := range a[1:] {
		switch x := v.(type) {
		case *Object:
			name, ok := i.(string)
			if !ok {
				return nil, fmt.Errorf("value has type %s; should be string", kind(i))
			}
			if v, ok = x.values[name]; !ok && x.texts {
				v = ""
			}
		case []any:
			n, err := within(i, len(x)-1)
			if err != nil {
				return nil, err
			}
			v = x[n]
		case string:
			n, err := within(i, len(x)-1)
			if err != nil {
				return nil, err
			}
			v = int64(x[n])
		case Null:
			if _, ok := i.(string); !ok {
				return nil, fmt.Errorf("index out of range: %v", i)
			}
			v = nil
		case nil:
			return nil, errors.New("index of untyped nil")
		default:
			return nil, fmt.Errorf("can't index item of type %s", kind(v))
		}
	}
	return v, nil
}

func within(i any, most int) (int, error) {
	n, ok := i.(int64)
	switch {
	case !ok:
		return 0, fmt.Errorf("cannot index slice/array with type %s", kind(i))
	case n < 0 || n > int64(most):
		return 0, fmt.Errorf("index out of range: %d", n)
	}
	return int(n), nil
}

func slice(a []any) (any, error) {
	size := 0
	switch x := a[0].(type) {
	case string:
		size = len(x)
	case []any:
		size = len(x)
	default:
		return nil, fmt.Errorf("can't slice item of type %s", kind(a[0]))
	}
	at := [2]int{0, size}
	for i, v := range a[1:] {
		n, err := within(v, size)
		if err != nil {
			return nil, err
		}
		at[min(i, 1)] = n
	}
	if at[0] > at[1] {
		return nil, fmt.Errorf("invalid slice index: %d > %d", at[0], at[1])
	}
	if s, ok := a[0].(string); ok {
		return s[at[0]:at[1]], nil
	}
	return a[0].([]any)[at[0]:at[1]], nil
}

func split(a []any) (any, error) {
	s, ok := a[0].(string)
	sep, ok2 := a[1].(string)
	if !ok || !ok2 {
		return nil, wrongType("string", a[0])
	}
	list := []any{}
	for _, part := range strings.Split(s, sep) {
		list = append(list, part)
	}
	return list, nil
}

func join(a []any) (any, error) {
	sep, ok := a[1].(string)
	if !ok {
		return nil, wrongType("string", a[1])
	}
	if _, ok := a[0].(Null); ok {
		return "", nil
	}
	list, ok := a[0].([]any)
	if !ok {
		return nil, wrongType("[]string", a[0])
	}
	var parts []string
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil, wrongType("string", e)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, sep), nil
}

func truncate(a []any) (any, error) {
	s, ok := a[0].(string)
	if !ok {
		return nil, wrongType("string", a[0])
	}
	n, ok := a[1].(int64)
	if !ok || n < 0 {
		return nil, wrongType("int", a[1])
	}
	if int64(len(s)) < n {
		return s, nil
	}
	return s[:n], nil
}

// pad puts spaces around a text that is not empty.
func pad(a []any) (any, error) {
	s, ok := a[0].(string)
	before, ok1 := a[1].(int64)
	after, ok2 := a[2].(int64)
	const most = 1 << 16
	if !ok || !ok1 || !ok2 || before < 0 || after < 0 || before > most || after > most {
		return nil, errors.New("want a text and two widths")
	}
	if s == "" {
		return s, nil
	}
	return strings.Repeat(" ", int(before)) + s + strings.Repeat(" ", int(after)), nil
}

// equal reports whether the first is equal to any of the others.
func equal(a []any) (any, error) {
	for _, other := range a[1:] {
		c, err := order(a[0], other)
		if err != nil {
			return nil, err
		}
		if c == 0 {
			return true, nil
		}
	}
	return false, nil
}

func compare(holds func(int) bool) func([]any) (any, error) {
	return func(a []any) (any, error) {
		if _, ok := a[0].(bool); ok {
			return nil, errors.New("invalid type for comparison")
		}
		c, err := order(a[0], a[1])
		return err == nil && holds(c), err
	}
}

// order compares two basic values of one kind: negative, 0, positive.
func order(a, b any) (int, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil
		}
	case int64:
		if y, ok := b.(int64); ok {
			return cmp(x, y), nil
		}
	case float64:
		if y, ok := b.(float64); ok {
			return cmp(x, y), nil
		}
	case bool:
		if y, ok := b.(bool); ok {
			if x == y {
				return 0, nil
			}
			return 1, nil
		}
	case nil, Null:
		if truth(b) {
			return 1, nil
		}
		return 0, nil
	}
	if b == nil {
		return 1, nil
	}
	return 0, errors.New("incompatible types for comparison")
}

func cmp[T int64 | float64](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// Ellipsis cuts s to n characters, the last of which then is "…".
func Ellipsis(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
