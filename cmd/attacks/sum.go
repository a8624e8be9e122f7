package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// sums are the results by attack.
type sums struct {
	rows             []string // a line for each attack
	held, failed, no int
}

// read adds up the output of `go test -json` (go doc test2json). An attack held if each of its tests has passed: one that was skipped, or that did
// not run because its package did not build, has not.
func read(r io.Reader, tests []test, w io.Writer) (s sums, err error) {
	ended := map[string]string{} // package and test → pass, fail, skip
	said := map[string]*strings.Builder{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct{ Action, Package, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(w, lines.Text()) // a build failure's own words
			continue
		}
		key := strings.TrimPrefix(e.Package, "hull/") + " " + e.Test
		switch e.Action {
		case "build-output":
			fmt.Fprint(w, e.Output)
		case "output":
			if said[key] == nil {
				said[key] = &strings.Builder{}
			}
			said[key].WriteString(e.Output)
		case "pass", "fail", "skip":
			ended[key] = e.Action
			if text := said[key]; text != nil && e.Action != "pass" {
				fmt.Fprint(w, text)
			}
			delete(said, key)
		}
	}
	for _, a := range attacks {
		s.add(a, of(tests, a.number), ended)
	}
	return s, lines.Err()
}

func (s *sums) add(a attack, tests []test, ended map[string]string) {
	row := fmt.Sprintf("%2d  %-16s  %s: ", a.number, strings.SplitN(a.cve, ",", 2)[0], a.tries)
	var wrong []string
	for _, t := range tests {
		if how := ended[t.folder+" "+t.name]; how != "pass" {
			wrong = append(wrong, t.name+" "+map[string]string{"": "did not run", "fail": "failed", "skip": "was skipped"}[how])
		}
	}
	if len(tests) == 0 {
		wrong = append(wrong, "it has no test")
	}
	slices.Sort(wrong)
	switch {
	case a.notOffered != "":
		s.no++
		row += "not offered (" + a.notOffered + ")"
	case len(wrong) > 0:
		s.failed++
		row += "failed (" + strings.Join(wrong, ", ") + ")"
	default:
		s.held++
		row += "held"
	}
	s.rows = append(s.rows, row)
}

func (s sums) print(w io.Writer) {
	for _, row := range s.rows {
		fmt.Fprintln(w, row)
	}
	fmt.Fprintf(w, "attacks: %d held, %d failed, %d not offered\n", s.held, s.failed, s.no)
}
