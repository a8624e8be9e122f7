// Command testsum runs `go test` for the given packages, shows what failed, and ends with one line of sums. A skip whose reason is not on
// docs/skips.txt is a failure: what is not tested is known, named and committed.
package main

import (
	"fmt"
	"os"
)

func main() {
	s, err := test(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	fmt.Println(s)
	if s.failed > 0 || len(s.unlisted) > 0 {
		os.Exit(1)
	}
}
