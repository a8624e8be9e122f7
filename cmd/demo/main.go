// Command demo is `make demo`: one traced run on an engine of its own, from nothing, and everything cleaned up again.
//
// It is called in the project's root, with the binaries in bin/. The engine's root is .hull/demo; the trace is left in demo/. Its last line
// is for scripts.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := demo(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
