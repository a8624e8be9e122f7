package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// What becomes of one program.
const (
	clean    = "clean"
	listed   = "listed"
	unlisted = "UNLISTED" // not clean, and no reason is known
	passes   = "PASSES"   // clean, and said not to be
)

// A sum counts them.
type sum struct{ all, clean, listed, unlisted, passes int }

// add counts a program. A race of the suite's own may go either way. foreign: nothing is expected of another runtime.
func (s *sum) add(r result, e entry, foreign bool) string {
	s.all++
	switch {
	case r.unclean == "" && e.reason != "" && !e.race && !foreign:
		s.clean++
		s.passes++
		return passes
	case r.unclean == "":
		s.clean++
		return clean
	case foreign, e.reason != "" && (e.race || r.points == e.points):
		s.listed++
		return listed
	}
	s.unlisted++
	return unlisted
}

func (s sum) failed() bool { return s.unlisted > 0 || s.passes > 0 }

func (s sum) String() string {
	return fmt.Sprintf("oci: %d of %d programs clean, %d listed, %d unlisted", s.clean, s.all, s.listed, s.unlisted)
}

// An entry of the list: a program that is not clean, and why.
type entry struct {
	reason string
	points int  // so many of its points fail, and no others
	race   bool // it sometimes is clean
}

type entries map[string]entry

// readList reads "NAME: reason", "NAME POINTS: reason" or "NAME race: reason", one a line; # begins a comment.
func readList(file string) (entries, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all := entries{}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, ok := strings.Cut(line, ": ")
		name, how, _ := strings.Cut(name, " ")
		e := entry{reason: reason, race: how == "race"}
		if how != "" && !e.race {
			if e.points, err = strconv.Atoi(how); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
			}
		}
		if !ok || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s:%d: not NAME: reason", file, i+1)
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("%s:%d: %s stands twice", file, i+1, name)
		}
		all[name] = e
	}
	return all, nil
}

// check: each name on the list is a program of the suite.
func (all entries) check(names []string) error {
	for name := range all {
		if !slices.Contains(names, name) {
			return fmt.Errorf("the list names %s, which is no program of the suite", name)
		}
	}
	return nil
}
