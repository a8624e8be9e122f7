// Command testsum runs `go test` for the given packages, shows what failed, and ends with one line of sums. A skip whose reason is not on
// docs/skips.txt is a failure: what is not tested is known, named and committed. With -as NAME the line is that of a part: NAME: N passed, N failed.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	name := flag.String("as", "", "end with `NAME`: N passed, N failed")
	flag.Parse()
	s, err := test(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	if *name == "" {
		fmt.Println(s)
	} else {
		fmt.Printf("%s: %d passed, %d failed\n", *name, s.passed, s.failed)
	}
	if s.failed > 0 || len(s.unlisted) > 0 {
		os.Exit(1)
	}
}
