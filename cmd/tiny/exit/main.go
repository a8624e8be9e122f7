// Command exit ends with the code that it is told.
//
//	exit CODE
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	if len(os.Args) == 2 {
		if n, err := strconv.Atoi(os.Args[1]); err == nil && n >= 0 && n <= 255 {
			os.Exit(n)
		}
	}
	fmt.Fprintln(os.Stderr, "usage: exit CODE")
	os.Exit(2)
}
