// Command testsum runs `go test` for the given packages, shows what failed, and ends with one line of sums. A skip whose reason is not on
// docs/skips.txt is a failure: what is not tested is known, named and committed. With -as NAME the line is that of a part: NAME: N passed, N failed.
// Above it stands what a test logs as "machine: ...": the guest that it ran in.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	name := flag.String("as", "", "end with `NAME`: N passed, N failed")
	limit := flag.Duration("timeout", 8*time.Minute, "of each package's tests")
	flag.Parse()
	s, err := test(flag.Args(), *limit)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	for _, m := range s.machines {
		fmt.Println(m)
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
