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

// A result is what a program has shown.
type result struct {
	unclean string // the first thing that is wrong; "" if it is clean
	points  int    // how many of its points are "not ok"
}

// judge reads it. The exit code and the "not ok" points (Test Anything Protocol) are not enough: eight programs print no point at all, and
// say that they have failed only by an "error" in a block of their own. An "error" in the block below an ok point is the error that the point
// wanted to see. And two that want an error are silent when they have got it.
func judge(name, out string, err error) (r result) {
	wrong := func(why string) {
		if r.unclean == "" {
			r.unclean = why
		}
	}
	if err != nil {
		wrong(err.Error())
	}
	passed, planned := false, false // the block that comes is a point's that passed
	for _, line := range strings.Split(out, "\n") {
		m := point.FindStringSubmatch(line)
		switch {
		case m != nil && m[1] != "":
			r.points++
			wrong(strings.TrimSpace(line))
		case m != nil:
			passed = true
		case plan.MatchString(line):
			planned = true
		case strings.TrimSpace(line) == "...":
			passed = false
		case !passed && failed.MatchString(line):
			wrong("hidden " + strings.TrimSpace(line))
		}
	}
	if silent := out == "" && strings.HasPrefix(name, "process_") && strings.HasSuffix(name, "_fail"); !planned && !silent {
		wrong("it printed no plan")
	}
	return r
}
