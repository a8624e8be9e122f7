// Command bench measures hull beside the real peers (Debian's docker.io with containerd and runc) in the same rounds, and says for each
// row what it measured and what was aimed at:
//
//	bench: NAME hull=… peer=… ratio=… goal=… ok|short
//
// Commands of a row run in turn (A B A B …), so that a machine that gets slower slows both. Times are medians of wall time. It needs
// root, bin/ (make build) and the peers that .ci/peers unpacks; it changes nothing outside .hull/bench and a network namespace of its own.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	rounds := flag.Int("n", 20, "counted rounds per row, after two that are not")
	only := flag.String("row", "", "measure only the row of this name")
	flag.Parse()
	err := ownNetwork()
	if err == nil {
		err = run(*rounds, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, only string) error {
	b, err := newBench(rounds)
	if err != nil {
		return err
	}
	defer b.close()
	for _, r := range rows {
		if only != "" && only != r.name {
			continue
		}
		res, err := r.measure(b)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		fmt.Println(res.line(r))
	}
	return nil
}
