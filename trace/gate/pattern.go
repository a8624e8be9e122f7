package gate

import (
	"errors"
	"strings"

	"hull/stages"
)

// A pattern names steps: a dotted name, or a beginning of names with *; and, after a colon, one system call of init's table:
// runc.init.pivot_root, runc.init.*, runc.init.pivot_root:umount2.
type pattern struct{ name, call string }

func parsePattern(text string) (pattern, error) {
	name, call, _ := strings.Cut(text, ":")
	p := pattern{name, call}
	switch found := stages.Find(name); {
	case len(found) == 1 && found[0].Has(stages.Shared):
		return p, &stages.Error{Kind: stages.Unsupported, Thing: text, Err: errors.New("it is done once for all containers, and cannot be held up for one")}
	case len(found) > 0:
		return p, nil
	}
	return p, &stages.Error{Kind: stages.Invalid, Thing: text, Err: errors.New("no step has this name"), Hint: "hull stages lists them"}
}

func (p pattern) names(step string) bool {
	if start, ok := strings.CutSuffix(p.name, "*"); ok {
		return strings.HasPrefix(step, start)
	}
	return p.name == step
}

// matches reports whether the question is about this pattern: a step as a whole is its first row.
func (p pattern) matches(q *Question) bool {
	if !p.names(q.Step) {
		return false
	}
	if p.call != "" {
		name, _, _ := strings.Cut(q.Call, "(")
		return name == p.call
	}
	return !q.Inner
}
