package format

import (
	"fmt"
	"text/template/parse"
)

// absent is a pipeline's value before its first command.
type absent struct{}

// missing is what an object has under a name that it does not have, where that is no error.
const missing = "<no value>"

// text is how a value is printed.
func text(v any) string {
	if v == nil {
		return missing
	}
	return fmt.Sprint(v)
}

func (s *state) pipeline(dot any, pipe *parse.PipeNode) any {
	if pipe == nil {
		return nil
	}
	var value any = absent{}
	for _, cmd := range pipe.Cmds {
		value = s.command(dot, cmd, value)
	}
	for _, name := range pipe.Decl {
		if pipe.IsAssign {
			s.set(name.Ident[0], value)
		} else {
			s.vars = append(s.vars, variable{name.Ident[0], value})
		}
	}
	return value
}

func (s *state) command(dot any, cmd *parse.CommandNode, final any) any {
	first := cmd.Args[0]
	switch n := first.(type) {
	case *parse.FieldNode:
		return s.fields(dot, n, n.Ident, cmd.Args, final, dot)
	case *parse.ChainNode:
		return s.fields(dot, n, n.Field, cmd.Args, final, s.operand(dot, n.Node))
	case *parse.IdentifierNode:
		s.at = cmd
		return s.function(dot, n.Ident, cmd.Args, final)
	case *parse.VariableNode:
		s.at = n
		return s.fields(dot, n, n.Ident[1:], cmd.Args, final, s.variable(n.Ident[0]))
	}
	s.at = first
	if len(cmd.Args) > 1 || final != any(absent{}) {
		s.fail("can't give argument to non-function %s", first)
	}
	if _, ok := first.(*parse.NilNode); ok {
		s.fail("nil is not a command")
	}
	return s.operand(dot, first)
}

// operand is the value of a word that is no command.
func (s *state) operand(dot any, node parse.Node) any {
	s.at = node
	switch n := node.(type) {
	case *parse.DotNode:
		return dot
	case *parse.NilNode:
		return nil
	case *parse.BoolNode:
		return n.True
	case *parse.StringNode:
		return n.Text
	case *parse.NumberNode:
		switch {
		case n.IsInt:
			return n.Int64
		case n.IsFloat:
			return n.Float64
		}
		s.fail("unexpected number %s", n)
	case *parse.FieldNode:
		return s.fields(dot, n, n.Ident, nil, absent{}, dot)
	case *parse.ChainNode:
		return s.fields(dot, n, n.Field, nil, absent{}, s.operand(dot, n.Node))
	case *parse.VariableNode:
		return s.fields(dot, n, n.Ident[1:], nil, absent{}, s.variable(n.Ident[0]))
	case *parse.IdentifierNode:
		return s.function(dot, n.Ident, nil, absent{})
	case *parse.PipeNode:
		return s.pipeline(dot, n)
	}
	s.fail("can't handle %s", node)
	return nil
}

func (s *state) variable(name string) any {
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].name == name {
			return s.vars[i].value
		}
	}
	s.fail("undefined variable: %s", name)
	return nil
}

// fields follows a chain of names from a value. Arguments belong to the last.
func (s *state) fields(dot any, node parse.Node, names []string, args []parse.Node, final, from any) any {
	var given []any
	if len(args) > 1 || final != any(absent{}) {
		given = s.arguments(dot, args, final)
	}
	for i, name := range names {
		s.at = node
		var last []any
		if i == len(names)-1 {
			last = given
		}
		from = s.field(from, name, last)
	}
	if len(names) == 0 && len(given) > 0 {
		s.at = node
		s.fail("can't give argument to non-function %s", node)
	}
	return from
}

func (s *state) field(from any, name string, args []any) any {
	if row, ok := from.(Row); ok {
		v, err := row.field(name, args)
		if err != nil {
			s.fail("%v", err)
		}
		return v
	}
	if len(args) > 0 {
		s.fail("%s is not a method but has arguments", name)
	}
	switch x := from.(type) {
	case *Object:
		v, ok := x.Get(name)
		if !ok && !x.texts {
			s.fail("map has no entry for key %q", name)
		}
		return v
	case nil:
		s.fail("nil data; no entry for key %q", name)
	case Null:
		s.fail("nil pointer evaluating %s", name)
	}
	s.fail("can't evaluate field %s in type %s", name, kind(from))
	return nil
}

// arguments are the values of a command's words after the first, and last what the pipe brings.
func (s *state) arguments(dot any, args []parse.Node, final any) []any {
	var list []any
	for _, a := range args[min(1, len(args)):] {
		list = append(list, s.operand(dot, a))
	}
	if final != any(absent{}) {
		list = append(list, final)
	}
	return list
}

func (s *state) function(dot any, name string, args []parse.Node, final any) any {
	at := s.at
	if name == "and" || name == "or" { // as far as the result is open
		var v any
		words := args[min(1, len(args)):]
		if len(words) == 0 && final == any(absent{}) {
			s.fail("wrong number of args for %s: want at least 1 got 0", name)
		}
		for _, a := range words {
			if v = s.operand(dot, a); truth(v) == (name == "or") {
				return v
			}
		}
		if final != any(absent{}) {
			v = final
		}
		return v
	}
	given := s.arguments(dot, args, final)
	s.at = at
	f := functions[name]
	if len(given) < f.least || f.most >= 0 && len(given) > f.most {
		s.fail("wrong number of args for %s: want %d got %d", name, f.least, len(given))
	}
	if s.header && f.leavesTitles {
		if _, whole := given[0].(Row); whole {
			return ""
		}
		return given[0]
	}
	v, err := f.call(given)
	if err != nil {
		s.fail("error calling %s: %v", name, err)
	}
	return v
}

// truth is whether a condition holds: not zero, not empty.
func truth(v any) bool {
	switch x := v.(type) {
	case nil, Null:
		return false
	case bool:
		return x
	case string:
		return x != ""
	case int64:
		return x != 0
	case float64:
		return x != 0
	case []any:
		return len(x) > 0
	case *Object:
		return len(x.names) > 0
	}
	return true
}

// kind names a value's type in an error.
func kind(v any) string {
	switch v.(type) {
	case *Object:
		return "map[string]interface {}"
	case []any:
		return "[]interface {}"
	case Null, nil:
		return "nil"
	}
	return fmt.Sprintf("%T", v)
}
