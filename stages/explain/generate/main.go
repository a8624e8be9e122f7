// Command generate writes docs/stages.md: go generate ./stages.
package main

import (
	"fmt"
	"os"

	"hull/stages/explain"
)

func main() {
	if err := os.WriteFile(os.Args[1], []byte(explain.Page()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
