// Command eat takes memory and touches it, a mebibyte at a time, and says how much it has. Then it keeps it until it is ended. It is for
// lessons about memory.max and the OOM killer.
//
//	eat MEBIBYTES
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		usage()
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil || n < 1 {
		usage()
	}
	var kept [][]byte
	for i := 1; i <= n; i++ {
		page := make([]byte, 1<<20)
		for j := 0; j < len(page); j += 4096 {
			page[j] = 1 // touched: until then the kernel has only promised it
		}
		kept = append(kept, page)
		fmt.Println(i, "MiB")
	}
	for {
		time.Sleep(time.Hour)
		_ = kept
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: eat MEBIBYTES")
	os.Exit(2)
}
