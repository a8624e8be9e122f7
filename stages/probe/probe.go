// Package probe finds out what this kernel and this caller can do, by trying it: a version number says little where distributions carry patches
// and a container, a filter or a missing capability takes away what the kernel has. Everything is tried in namespaces that are thrown away, on
// mounts that are attached nowhere, in groups that are removed again; nothing is left.
//
// `hull doctor` prints the results. The package needs no daemon, and imports the standard library and x/sys.
package probe

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// An Answer is what a trial said.
type Answer string

const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown" // the caller lacks the right to try
)

// A Result is one thing that was tried.
type Result struct {
	Topic  string `json:"topic"`
	Name   string `json:"name"`
	Needed bool   `json:"needed"` // without it no container runs
	Answer Answer `json:"answer"`
	Detail string `json:"detail"` // what was found, or why not
	Cost   string `json:"cost"`   // what the lack costs in hull; empty for yes
	Remedy string `json:"remedy"` // how to get it; empty for yes
}

// A probe is one row of the list: what is tried, and what its lack means.
type probe struct {
	name   string
	needed bool
	try    func() (detail string, err error)
	cost   string
	remedy string
}

// A topic is a list of probes.
type topic struct {
	name   string
	probes []probe
}

// All tries everything.
func All() (results []Result) {
	for _, t := range topics() {
		for _, p := range t.probes {
			results = append(results, p.run(t.name))
		}
	}
	return results
}

func topics() []topic {
	return []topic{caller(), namespaces(), files(), cgroups(), network(), confinement(), processes(), tracing()}
}

func (p probe) run(topic string) Result {
	r := Result{Topic: topic, Name: p.name, Needed: p.needed, Answer: Yes}
	detail, err := p.try()
	r.Detail = detail
	if err == nil {
		return r
	}
	r.Answer, r.Cost, r.Remedy = No, p.cost, p.remedy
	r.Detail = reason(err)
	if unix.Geteuid() != 0 && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)) {
		r.Answer, r.Remedy = Unknown, "ask again as root"
	}
	return r
}

// reason is an error with its errno's name, by which it can be looked up.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) && unix.ErrnoName(errno) != "" {
		return fmt.Sprintf("%v (%s)", err, unix.ErrnoName(errno))
	}
	return err.Error()
}

// named says which call failed.
func named(call string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", call, err)
	}
	return nil
}
