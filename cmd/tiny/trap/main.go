// Command trap says which signals reach it and goes on, until SIGKILL, or until it has seen the one that is named. It is for lessons about stop
// and kill, and about what the first process of a pid namespace is spared.
//
//	trap [SIGNAL]
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	last := syscall.Signal(0)
	if len(os.Args) > 1 {
		name := strings.ToUpper(os.Args[1])
		if !strings.HasPrefix(name, "SIG") {
			name = "SIG" + name
		}
		if last = unix.SignalNum(name); last == 0 {
			fmt.Fprintln(os.Stderr, "trap: no such signal:", os.Args[1])
			os.Exit(2)
		}
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	fmt.Println("pid", os.Getpid(), "waits for signals")
	for got := range signals {
		if got == syscall.SIGURG { // the Go runtime's own
			continue
		}
		fmt.Println(unix.SignalName(got.(syscall.Signal)))
		if got == last {
			return
		}
	}
}
