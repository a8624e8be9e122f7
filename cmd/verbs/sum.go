package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// tests are the tests that run scripts: TestVerbs/SCRIPT, and below it "agrees" where docker was asked; TestHulld/scripts/SCRIPT and the same
// transcript against the real dockerd, TestDockerd/scripts/SCRIPT.
const tests = "TestVerbs|TestHulld|TestDockerd"

// sums are the results by script.
type sums struct {
	scripts map[string]bool // whether it passed
	agrees  map[string]bool // whether docker was asked and said the same
	passed  int
}

func (s sums) String() string {
	n := 0
	for _, yes := range s.agrees {
		if yes {
			n++
		}
	}
	return fmt.Sprintf("verbs: %d of %d script tests pass, docker agrees on %d", s.passed, len(s.scripts), n)
}

// read adds up the output of `go test -json` (go doc test2json), and prints each script's result and what a failed test said.
func read(r io.Reader, w io.Writer) (sums, error) {
	s := sums{scripts: map[string]bool{}, agrees: map[string]bool{}}
	said := map[string]*strings.Builder{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(w, lines.Text()) // a build failure's own words
			continue
		}
		switch e.Action {
		case "build-output":
			fmt.Fprint(w, e.Output)
		case "output":
			if said[e.Test] == nil {
				said[e.Test] = &strings.Builder{}
			}
			said[e.Test].WriteString(e.Output)
		case "pass", "fail", "skip":
			s.count(e.Test, e.Action == "pass", w)
			if text := said[e.Test]; text != nil && e.Action != "pass" {
				fmt.Fprint(w, text)
			}
			delete(said, e.Test)
		}
	}
	for _, ok := range s.scripts {
		if ok {
			s.passed++
		}
	}
	return s, lines.Err()
}

func (s sums) count(test string, ok bool, w io.Writer) {
	part := strings.Split(test, "/")
	switch {
	case part[0] == "TestVerbs" && len(part) == 2:
		s.scripts[part[1]] = ok
	case part[0] == "TestVerbs" && len(part) == 3 && part[2] == "agrees":
		s.agrees[part[1]] = ok
		return
	case part[0] == "TestHulld" && len(part) == 3 && part[1] == "scripts":
		s.scripts["client "+part[2]] = ok
	case part[0] == "TestDockerd" && len(part) == 3 && part[1] == "scripts":
		s.agrees["client "+part[2]] = ok
	default:
		return
	}
	fmt.Fprintf(w, "%-5v %s\n", map[bool]string{true: "ok", false: "FAIL"}[ok], test)
}
