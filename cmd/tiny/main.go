// Command tiny is what the image hull/tiny holds: one small static program that is many, chosen by the name it is started under or by its
// first argument. It is made for looking at containers from inside; cmd/tiny/image packs it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	args := os.Args
	run, ok := programs[filepath.Base(args[0])]
	if !ok && len(args) > 1 {
		args = args[1:]
		run, ok = programs[args[0]]
	}
	if !ok {
		fmt.Fprintln(os.Stderr, "tiny: one of:", names())
		os.Exit(127)
	}
	os.Exit(run(args[1:]))
}
