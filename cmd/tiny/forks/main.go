// Command forks starts children that sleep, says each one's pid, and stops at the first that cannot be had. It is for lessons about pids.max.
//
//	forks COUNT
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "child" {
		select {}
	}
	n := 0
	if len(os.Args) == 2 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	if n < 1 {
		fmt.Fprintln(os.Stderr, "usage: forks COUNT")
		os.Exit(2)
	}
	var children []*exec.Cmd
	failed := false
	for i := 1; i <= n; i++ {
		child := exec.Command("sleep", "3600")
		if err := child.Start(); err != nil {
			fmt.Fprintf(os.Stderr, "forks: child %d: %v\n", i, err)
			failed = true
			break
		}
		fmt.Println(child.Process.Pid)
		children = append(children, child)
	}
	for _, child := range children {
		child.Process.Kill()
		child.Wait()
	}
	if failed {
		os.Exit(1)
	}
}
