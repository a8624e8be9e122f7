// Command clock counts up, one line each interval (a second), for ever: a number and the time since the machine's start, which no clock step
// moves. A gap in what it printed is lost output.
//
//	clock [INTERVAL]
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	interval := time.Second
	if len(os.Args) > 1 {
		var err error
		if s, ferr := strconv.ParseFloat(os.Args[1], 64); ferr == nil {
			interval = time.Duration(s * float64(time.Second))
		} else if interval, err = time.ParseDuration(os.Args[1]); err != nil {
			interval = 0
		}
		if interval <= 0 {
			fmt.Fprintln(os.Stderr, "usage: clock [INTERVAL], such as 0.2 or 200ms")
			os.Exit(2)
		}
	}
	for n, tick := 0, time.Tick(interval); ; n++ {
		var now unix.Timespec
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
		if _, err := fmt.Printf("%d %d.%03d\n", n, now.Sec, now.Nsec/1e6); err != nil {
			fmt.Fprintln(os.Stderr, "clock:", err)
			os.Exit(1)
		}
		<-tick
	}
}
