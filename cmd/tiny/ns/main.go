// Command ns prints the namespaces that a process is in (namespaces(7)): the same number is the same namespace.
//
//	ns [PID]
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	pid := "self"
	if len(os.Args) > 1 {
		pid = os.Args[1]
	}
	links, err := filepath.Glob("/proc/" + pid + "/ns/*")
	if err != nil || links == nil {
		fmt.Fprintf(os.Stderr, "ns: /proc/%s/ns: nothing there\n", pid)
		os.Exit(1)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil {
			fmt.Fprintln(os.Stderr, "ns:", err)
			os.Exit(1)
		}
		fmt.Printf("%-20s %s\n", filepath.Base(link), target)
	}
}
