package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"hull/stages"
	"hull/stages/explain"
)

// explainCommand is `hull explain STEP`: what happens in a step, why there, what breaks without it, how to see it oneself.
func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain STEP [STEP...]", Short: "Explain a step of a run (STEP: a name of hull stages, or a part of one)", Args: args(1, -1),
		RunE: func(_ *cobra.Command, names []string) error {
			var all []stages.Step
			for _, name := range names {
				steps, err := meant(name)
				if err != nil {
					return err
				}
				all = append(all, steps...)
			}
			p := page{w: a.out, width: 80}
			if out, ok := a.out.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
				p.bold = os.Getenv("NO_COLOR") == ""
				if cols, _, err := term.GetSize(int(out.Fd())); err == nil && cols > 20 {
					p.width = cols
				}
			}
			for i, s := range all {
				if i > 0 {
					fmt.Fprintln(a.out)
				}
				p.step(s)
			}
			return nil
		},
	}
}

// meant finds the steps that a word stands for: exactly named, with *, as the one beginning of a name, the one part of a name, or the one name whose
// letters it has in this order. Several candidates are listed and none is chosen.
func meant(word string) ([]stages.Step, error) {
	if found := stages.Find(word); len(found) > 0 {
		return found, nil
	}
	low := strings.ToLower(strings.TrimSuffix(word, "*"))
	for _, fits := range []func(name string) bool{
		func(name string) bool { return strings.HasPrefix(name, low) },
		func(name string) bool { return strings.HasSuffix(name, "."+low) },
		func(name string) bool { return strings.Contains(name, low) },
		func(name string) bool { return inOrder(low, name) },
	} {
		var found []stages.Step
		for _, s := range stages.All() {
			if low != "" && fits(s.Name) {
				found = append(found, s)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found, nil
		default:
			var names strings.Builder
			for _, s := range found {
				names.WriteString("\n  " + s.Name)
			}
			return nil, fmt.Errorf("%q may be any of these steps:%s", word, names.String())
		}
	}
	return nil, &stages.Error{Kind: stages.NotFound, Thing: fmt.Sprintf("%q", word), Err: fmt.Errorf("no step has this name"), Hint: "hull stages lists them"}
}

// inOrder reports whether the letters of part are in whole in this order.
func inOrder(part, whole string) bool {
	for _, r := range part {
		i := strings.IndexRune(whole, r)
		if i < 0 {
			return false
		}
		whole = whole[i+1:]
	}
	return true
}

// A page prints an explanation: paragraphs wrapped to the width, commands as they are.
type page struct {
	w     io.Writer
	width int
	bold  bool // the terminal shows it
}

func (p page) step(s stages.Step) {
	who := s.Stage.Binary()
	if who == "" {
		who = "your program"
	}
	fmt.Fprintf(p.w, "%s  %s\n", p.strong(s.Name), s.Title)
	fmt.Fprintf(p.w, "%s\n", p.wrap("Done by "+who+". Proof: "+explain.Rule(s.Proof)+"."))
	for _, block := range strings.Split(strings.TrimSpace(explain.Text(s.ID)), "\n\n") {
		if strings.HasPrefix(block, "    ") {
			fmt.Fprintf(p.w, "\n%s\n", block)
			continue
		}
		if head, rest, ok := strings.Cut(strings.TrimPrefix(block, "**"), "**"); ok && slices.Contains(explain.Sections, head) {
			fmt.Fprintf(p.w, "\n%s\n%s\n", p.strong(strings.TrimSuffix(head, ".")), p.wrap(rest))
			continue
		}
		fmt.Fprintf(p.w, "\n%s\n", p.wrap(block))
	}
}

func (p page) strong(s string) string {
	if !p.bold {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

// wrap breaks a paragraph between words.
func (p page) wrap(text string) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case column == 0:
		case column+1+n > p.width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
