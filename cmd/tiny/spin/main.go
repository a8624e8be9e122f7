// Command spin uses CPUs, and says each second how much it got: one line, in hundredths of one CPU. It is for lessons about cpu.max.
//
//	spin [THREADS [SECONDS]]
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

func main() {
	threads, seconds := number(1, 1), number(2, 1<<30)
	runtime.GOMAXPROCS(threads + 1)
	for range threads {
		go func() {
			for n := uint64(0); ; n++ {
			}
		}()
	}
	before := used()
	for range seconds {
		time.Sleep(time.Second)
		now := used()
		fmt.Printf("%d%%\n", (now-before).Milliseconds()/10)
		before = now
	}
}

func number(i, otherwise int) int {
	if len(os.Args) <= i {
		return otherwise
	}
	n, err := strconv.Atoi(os.Args[i])
	if err != nil || n < 1 {
		fmt.Fprintln(os.Stderr, "usage: spin [THREADS [SECONDS]]")
		os.Exit(2)
	}
	return n
}

// used is this process's CPU time (getrusage(2)).
func used() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
