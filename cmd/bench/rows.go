package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A row is one line of the result.
type row struct {
	name    string
	goal    float64 // the most that hull/peer (or, without a peer, hull's own figure) may be
	measure func(*bench) (result, error)
}

// A result is what a row measured. Without a peer the figure itself is held against the goal.
type result struct {
	hull, peer float64
	unit       string
	detail     string
}

var rows = []row{
	{"run-none", 0.15, runNone},
	{"runtime", 0.5, runtimeAlone},
	{"execs", 8, execs},
	{"faults", 4000, faults},
}

func (r result) line(w row) string {
	figure, ratio, peer := r.hull, "-", "-"
	if r.peer > 0 {
		figure = r.hull / r.peer
		ratio, peer = fmt.Sprintf("%.3f", figure), fmt.Sprintf("%.1f%s", r.peer, r.unit)
	}
	verdict := "ok"
	if figure > w.goal {
		verdict = "short"
	}
	line := fmt.Sprintf("bench: %s hull=%.1f%s peer=%s ratio=%s goal=%g %s", w.name, r.hull, r.unit, peer, ratio, w.goal, verdict)
	if r.detail != "" {
		line += " (" + r.detail + ")"
	}
	return line
}

// runNone is `run --rm --network none busybox echo hi`, hull against docker.
func runNone(b *bench) (result, error) {
	args := []string{"run", "--rm", "--network", "none", image, "echo", "hi"}
	h, p, err := b.pairs(b.hull(args...), b.docker(args...))
	return result{hull: h, peer: p, unit: "ms"}, err
}

// runtimeAlone is create, start, wait and delete of one bundle, hull-runc against runc.
func runtimeAlone(b *bench) (result, error) {
	bundle, err := b.bundle()
	if err != nil {
		return result{}, err
	}
	h, p, err := b.pairs(b.lifecycle("../bin/hull-runc", bundle), b.lifecycle("runc", bundle))
	return result{hull: h, peer: p, unit: "ms"}, err
}

// execs counts the programs executed for one run, from the kernel's own events in a trace of it.
func execs(b *bench) (result, error) {
	names, err := b.execsOfOneRun()
	return result{hull: float64(len(names)), detail: strings.Join(names, " ")}, err
}

// faults counts the page faults of everything that works for one run: client, daemons, shim, runtime and container.
func faults(b *bench) (result, error) {
	h, p, err := b.faultsPerRun()
	return result{hull: h, detail: fmt.Sprintf("docker %.0f", p)}, err
}

// pairs runs the two in turn and returns the medians of their wall times in ms.
func (b *bench) pairs(hull, peer func() error) (h, p float64, err error) {
	var hs, ps []float64
	for i := range b.rounds + 2 {
		for _, side := range []struct {
			run  func() error
			into *[]float64
		}{{hull, &hs}, {peer, &ps}} {
			start := time.Now()
			if err := side.run(); err != nil {
				return 0, 0, err
			}
			if i >= 2 { // the first two warm the caches
				*side.into = append(*side.into, float64(time.Since(start).Microseconds())/1000)
			}
		}
	}
	return median(hs), median(ps), nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
