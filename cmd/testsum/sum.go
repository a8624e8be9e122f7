package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// skipList holds the skips that may happen: "PACKAGE TEST: part of the reason", one a line.
const skipList = "docs/skips.txt"

// An event is one line of `go test -json` (go doc test2json).
type event struct {
	Action, Package, Test, Output string
}

// sums is a run of all tests in numbers.
type sums struct {
	packages, passed, failed, skipped int
	unlisted                          []string // skips that are not on the list
	machines                          []string // what tests say of the guests they ran in, each once
}

func (s sums) String() string {
	return fmt.Sprintf("test: %d packages, %d tests passed, %d failed, %d skipped (%d not on %s)",
		s.packages, s.passed, s.failed, s.skipped, len(s.unlisted), skipList)
}

func test(packages []string, limit time.Duration) (sums, error) {
	list, err := os.ReadFile(skipList)
	if err != nil {
		return sums{}, err
	}
	// One package at a time: tests of several drive the whole machine (cgroups, mounts), and their limits are about time. No cache: what
	// they test is outside of Go's sight.
	cmd := exec.Command("go", append([]string{"test", "-json", "-count=1", "-p=1", "-timeout=" + limit.String()}, packages...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return sums{}, err
	}
	if err := cmd.Start(); err != nil {
		return sums{}, err
	}
	s, err := read(out, string(list))
	if err != nil {
		return s, err
	}
	var ended *exec.ExitError
	if err := cmd.Wait(); err != nil && (!errors.As(err, &ended) || s.failed == 0) {
		return s, fmt.Errorf("go test: %w", err)
	}
	return s, nil
}

// read adds the events up, and prints each package as it ends, with the output of what failed in it.
func read(r io.Reader, list string) (s sums, err error) {
	output := map[string]*strings.Builder{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // a build failure's own words
			continue
		}
		name := e.Package + " " + e.Test
		switch e.Action {
		case "build-output":
			fmt.Print(e.Output)
		case "output":
			if output[name] == nil {
				output[name] = &strings.Builder{}
			}
			output[name].WriteString(e.Output)
			if _, machine, ok := strings.Cut(strings.TrimSpace(e.Output), ": machine: "); ok && !slices.Contains(s.machines, machine) {
				s.machines = append(s.machines, machine)
			}
		case "fail":
			s.failed++
			if text := output[name]; text != nil {
				fmt.Print(text)
			}
		case "pass", "skip":
			said := ""
			if text := output[name]; text != nil {
				said = text.String()
			}
			delete(output, name)
			s.count(e, said, list)
		}
	}
	return s, lines.Err()
}

func (s *sums) count(e event, said, list string) {
	switch {
	case e.Test == "" && e.Action == "pass":
		s.packages++
		fmt.Println("ok  ", e.Package)
	case e.Test == "":
		// no test files
	case e.Action == "pass":
		s.passed++
	default:
		s.skipped++
		if !listed(list, e, said) {
			s.unlisted = append(s.unlisted, e.Test)
			fmt.Printf("SKIP %s %s, which is not on %s:\n%s", e.Package, e.Test, skipList, said)
		} else {
			fmt.Printf("skip %s %s: %s", e.Package, e.Test, reason(said))
		}
	}
}

// listed reports whether a line of the list covers the skip.
func listed(list string, e event, said string) bool {
	for _, line := range strings.Split(list, "\n") {
		what, why, ok := strings.Cut(line, ": ")
		name := e.Package + " " + e.Test
		below, many := strings.CutSuffix(what, "*")
		if ok && !strings.HasPrefix(line, "#") && (what == name || many && strings.HasPrefix(name, below)) && strings.Contains(said, why) {
			return true
		}
	}
	return false
}

// reason is the line of a skipped test's output that says why.
func reason(said string) string {
	for _, line := range strings.SplitAfter(said, "\n") {
		if strings.HasPrefix(line, "    ") {
			return strings.TrimLeft(line, " ")
		}
	}
	return "no reason given\n"
}
