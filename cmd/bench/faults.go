package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Page faults are counted by the memory controller: memory.stat's pgfault of the group that holds client, daemons, shims and runtimes,
// and of the groups that hold the containers. Unlike milliseconds they repeat within a few percent whatever else the machine does.

func (b *bench) joinGroup() error {
	if err := os.MkdirAll(b.group, 0o755); err != nil {
		return err
	}
	return os.WriteFile(b.group+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0)
}

func (b *bench) leaveGroup() {
	os.WriteFile(filepath.Dir(b.group)+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0)
	os.Remove(b.group)
	for _, name := range []string{filepath.Base(b.dockerGroup), filepath.Base(b.hullGroup), "hull-bench-runtime"} {
		groups, _ := filepath.Glob("/sys/fs/cgroup/*/" + name) // docker and runc leave the parent in every hierarchy
		for _, g := range groups {
			os.Remove(g)
		}
	}
}

// faultsPerRun is the mean over the rounds of the faults of one hull run, and of one docker run.
func (b *bench) faultsPerRun() (h, p float64, err error) {
	args := []string{"run", "--rm", "--network", "none", image, "echo", "hi"}
	for _, side := range []struct {
		run  func() error
		into *float64
	}{{b.hull(args...), &h}, {b.docker(args...), &p}} {
		if err := side.run(); err != nil { // the first one warms the daemons up
			return 0, 0, err
		}
		before, err := b.pgfaults()
		if err != nil {
			return 0, 0, err
		}
		for range b.rounds {
			if err := side.run(); err != nil {
				return 0, 0, err
			}
		}
		after, err := b.pgfaults()
		if err != nil {
			return 0, 0, err
		}
		*side.into = float64(after-before) / float64(b.rounds)
	}
	return h, p, nil
}

// pgfaults sums total_pgfault over our group and the groups of both engines' containers.
func (b *bench) pgfaults() (sum int, err error) {
	for _, g := range []string{b.group, b.hullGroup, b.dockerGroup} {
		f, err := os.Open(g + "/memory.stat")
		if errors.Is(err, os.ErrNotExist) && g != b.group {
			continue // no container has run yet, or the engine has removed its group
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
