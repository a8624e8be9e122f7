package main

import (
	"regexp"
	"strings"
)

var (
	point  = regexp.MustCompile(`^\s*(not )?ok\b`)
	plan   = regexp.MustCompile(`^\s*1\.\.\d+`)
	failed = regexp.MustCompile(`^\s*"error": "[^"]`)
)

// judge says what is wrong with a program's result; "" if it is clean. Its exit code and its "not ok" points (Test Anything Protocol) are
// not enough: eight programs print no point at all, and say that they have failed only by an "error" in a block of their own. An "error" in
// the block below an ok point is the error that the point wanted to see. And two that want an error are silent when they have got it.
func judge(name, out string, err error) (unclean string) {
	if err != nil {
		return err.Error()
	}
	inPassed, planned := false, false
	for _, line := range strings.Split(out, "\n") {
		m := point.FindStringSubmatch(line)
		switch {
		case m != nil && m[1] != "":
			return strings.TrimSpace(line)
		case m != nil:
			inPassed = true
		case plan.MatchString(line):
			planned = true
		case strings.TrimSpace(line) == "...":
			inPassed = false
		case !inPassed && failed.MatchString(line):
			return "hidden " + strings.TrimSpace(line)
		}
	}
	if !planned && !(out == "" && strings.HasPrefix(name, "process_") && strings.HasSuffix(name, "_fail")) {
		return "it printed no plan"
	}
	return ""
}
