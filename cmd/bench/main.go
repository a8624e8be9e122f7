// Command bench measures hull beside the real peers (Debian's docker.io, containerd, podman, runc and crun) in the same rounds, and says
// for each row what it measured and what was aimed at:
//
//	bench: NAME hull=… peer=… ratio=… goal=… ok|short
//
// The commands of a table run in turn (A B C A B C …), so that a machine that gets slower slows all; a row's figure is the median of its quiet
// samples. It needs root, bin/ (make build) and the packages that .ci/peers unpacks (make bench fetches them). It changes nothing outside
// .hull/bench: the peers are laid over /usr and /etc in a mount namespace of its own, their bridges and rules stay in a network namespace of
// its own.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	rounds := flag.Int("n", 20, "counted rounds per table, after two that are not")
	only := flag.String("row", "", "measure only the row of this name")
	write := flag.String("write", "", "write the tables to this `file`, as Markdown")
	flag.Parse()
	err := ownNamespaces()
	if err == nil {
		err = run(*rounds, *only, *write)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, only, write string) error {
	b, err := newBench(rounds)
	if err != nil {
		return err
	}
	defer b.close()
	rep := &report{rounds: rounds, machine: describeMachine(), peers: b.versions()}
	for _, t := range tables {
		if only != "" && !t.has(only) {
			continue
		}
		if err := t.measure(b, rep, only); err != nil {
			return fmt.Errorf("%s: %w", t.title, err)
		}
	}
	if write == "" || only != "" {
		return nil
	}
	return os.WriteFile(write, rep.markdown(), 0o644)
}
