package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// What is counted repeats within a few percent whatever else the machine does; milliseconds do not.

const oneRun = " run --rm --network none " + image + " echo hi"

// execs counts the programs executed for one run, from the kernel's own events in a trace of it.
func execs(b *bench) (figure, error) {
	if err := b.run("hull run --rm --trace --network none " + image + " echo hi"); err != nil {
		return figure{}, err
	}
	text, err := b.output("hull trace export last --format json")
	if err != nil {
		return figure{}, err
	}
	var trace struct {
		Events []struct {
			Kind string
			Args map[string]string
		}
	}
	if err := json.Unmarshal([]byte(text), &trace); err != nil {
		return figure{}, err
	}
	// The client was there before its trace: its own exec is the first, and not among the events.
	names := []string{"hull"}
	for _, e := range trace.Events {
		if e.Kind == "exec" {
			names = append(names, filepath.Base(e.Args["exe"]))
		}
	}
	return figure{float64(len(names)), strings.Join(names, " ")}, nil
}

// faults is the mean over the rounds of the page faults of everything that works for one run: client, daemons, shim, runtime and container.
func faults(b *bench) (figure, error) {
	var mean [2]float64
	for i, line := range []string{"hull" + oneRun, docker + oneRun} {
		if err := b.run(line); err != nil { // the first one warms the daemons up
			return figure{}, err
		}
		before, err := b.pgfaults()
		if err != nil {
			return figure{}, err
		}
		for range b.rounds {
			if err := b.run(line); err != nil {
				return figure{}, err
			}
		}
		after, err := b.pgfaults()
		if err != nil {
			return figure{}, err
		}
		mean[i] = float64(after-before) / float64(b.rounds)
	}
	return figure{mean[0], fmt.Sprintf("docker %.0f", mean[1])}, nil
}

// pgfaults sums memory.stat's total_pgfault (cgroup v1) over our group and hull's containers'.
func (b *bench) pgfaults() (sum int, err error) {
	for _, g := range []string{b.group, b.hullGroup} {
		f, err := os.Open("/sys/fs/cgroup/memory/" + g + "/memory.stat")
		if errors.Is(err, os.ErrNotExist) && g != b.group {
			continue // no container has run yet
		}
		if err != nil {
			return 0, fmt.Errorf("%w (this row needs the memory controller on cgroup v1)", err)
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if v, ok := strings.CutPrefix(s.Text(), "total_pgfault "); ok {
				n, _ := strconv.Atoi(v)
				sum += n
			}
		}
		f.Close()
	}
	return sum, nil
}
