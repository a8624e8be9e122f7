package format

import (
	"errors"
	"fmt"
	"io"
	"text/template/parse"
)

// A Template is a parsed template.
type Template struct {
	trees map[string]*parse.Tree
}

// Parse reads a template.
func Parse(text string) (*Template, error) {
	trees, err := parse.Parse("", text, "", "", known())
	if err != nil {
		return nil, err
	}
	if trees[""] == nil { // an empty template has no tree
		trees[""] = &parse.Tree{Root: &parse.ListNode{}}
	}
	return &Template{trees}, nil
}

// Execute applies the template to data: a Row, or what Decode returns. What stands before an error has been written.
func (t *Template) Execute(w io.Writer, data any) error {
	return t.execute(w, data, false)
}

func (t *Template) execute(w io.Writer, data any, header bool) (err error) {
	s := &state{t: t, tree: t.trees[""], w: w, header: header, vars: []variable{{"$", data}}}
	defer func() {
		if r := recover(); r != nil {
			failed, ok := r.(failure)
			if !ok {
				panic(r)
			}
			err = failed.err
		}
	}()
	s.walk(data, s.tree.Root)
	return nil
}

// state is one execution.
type state struct {
	t      *Template
	tree   *parse.Tree
	w      io.Writer
	header bool // a table's head is made: functions leave the titles alone
	vars   []variable
	at     parse.Node
	depth  int
}

type variable struct {
	name  string
	value any
}

// failure carries an error out of an execution.
type failure struct{ err error }

// leave is what a break or continue asks of the loop around it.
type leave int

const (
	stay leave = iota
	breaks
	continues
)

// fail ends the execution with the place and the reason, in the words of text/template.
func (s *state) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s.at == nil {
		panic(failure{errors.New("template: " + text)})
	}
	location, context := s.tree.ErrorContext(s.at)
	panic(failure{fmt.Errorf("template: %s: executing %q at <%s>: %s", location, s.tree.Name, context, text)})
}

func (s *state) write(text string) {
	if _, err := io.WriteString(s.w, text); err != nil {
		panic(failure{err})
	}
}

func (s *state) walk(dot any, node parse.Node) leave {
	s.at = node
	switch n := node.(type) {
	case *parse.ActionNode:
		v := s.pipeline(dot, n.Pipe)
		if len(n.Pipe.Decl) == 0 {
			s.write(text(v))
		}
	case *parse.BreakNode:
		return breaks
	case *parse.ContinueNode:
		return continues
	case *parse.IfNode:
		return s.branch(dot, &n.BranchNode, false)
	case *parse.WithNode:
		return s.branch(dot, &n.BranchNode, true)
	case *parse.ListNode:
		for _, child := range n.Nodes {
			if l := s.walk(dot, child); l != stay {
				return l
			}
		}
	case *parse.RangeNode:
		s.loop(dot, n)
	case *parse.TemplateNode:
		s.call(dot, n)
	case *parse.TextNode:
		s.write(string(n.Text))
	}
	return stay
}

func (s *state) branch(dot any, n *parse.BranchNode, with bool) leave {
	mark := len(s.vars)
	defer func() { s.vars = s.vars[:mark] }()
	v := s.pipeline(dot, n.Pipe)
	switch {
	case truth(v) && with:
		return s.walk(v, n.List)
	case truth(v):
		return s.walk(dot, n.List)
	case n.ElseList != nil:
		return s.walk(dot, n.ElseList)
	}
	return stay
}

// loop ranges over a list, an object in the order of its names, or the numbers below n.
func (s *state) loop(dot any, n *parse.RangeNode) {
	mark := len(s.vars)
	defer func() { s.vars = s.vars[:mark] }()
	over := s.pipeline(dot, n.Pipe)
	inside := len(s.vars)
	turns := 0
	once := func(key, element any) bool {
		turns++
		if n.Pipe.IsAssign {
			s.assign(n.Pipe.Decl, key, element)
		} else {
			s.declare(n.Pipe.Decl, key, element, mark)
		}
		l := s.walk(element, n.List)
		s.vars = s.vars[:inside]
		return l != breaks
	}
	switch x := over.(type) {
	case []any:
		for i, e := range x {
			if !once(int64(i), e) {
				break
			}
		}
	case *Object:
		for _, name := range x.sorted() {
			if !once(name, x.values[name]) {
				break
			}
		}
	case int64:
		for i := range x {
			if !once(i, i) {
				break
			}
		}
	case nil, Null:
	default:
		s.at = n
		s.fail("range can't iterate over %v", text(over))
	}
	if turns == 0 && n.ElseList != nil {
		s.walk(dot, n.ElseList)
	}
}

// declare gives the loop's variables, which the pipeline has made at mark, this turn's values.
func (s *state) declare(names []*parse.VariableNode, key, element any, mark int) {
	switch len(names) {
	case 1:
		s.vars[mark].value = element
	case 2:
		s.vars[mark].value, s.vars[mark+1].value = key, element
	}
}

func (s *state) assign(names []*parse.VariableNode, key, element any) {
	switch len(names) {
	case 1:
		s.set(names[0].Ident[0], element)
	case 2:
		s.set(names[0].Ident[0], key)
		s.set(names[1].Ident[0], element)
	}
}

func (s *state) set(name string, v any) {
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].name == name {
			s.vars[i].value = v
			return
		}
	}
	s.fail("undefined variable: %s", name)
}

const maxDepth = 1000 // templates that call themselves

func (s *state) call(dot any, n *parse.TemplateNode) {
	tree := s.t.trees[n.Name]
	if tree == nil {
		s.fail("template %q not defined", n.Name)
	}
	if s.depth == maxDepth {
		s.fail("exceeded maximum template depth (%d)", maxDepth)
	}
	var v any
	if n.Pipe != nil {
		v = s.pipeline(dot, n.Pipe)
	}
	inner := *s
	inner.tree, inner.depth, inner.vars = tree, s.depth+1, []variable{{"$", v}}
	inner.walk(v, tree.Root)
}
