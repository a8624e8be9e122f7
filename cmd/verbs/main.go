// Command verbs runs the sessions that test hull's verbs (docs/verbs.md) and ends with one line of sums:
// "verbs: N of N script tests pass, docker agrees on N".
package main

import (
	"fmt"
	"os"
	"os/exec"
)

func main() {
	// One package at a time: each runs whole engines. No cache: what is tested is outside of Go's sight.
	cmd := exec.Command("go", "test", "-json", "-count=1", "-p=1", "-timeout=30m", "-run", "^("+tests+")$", "./cmd/hull", "./client/cli")
	cmd.Env = append(os.Environ(), "HULL_VERBS_DOCKER=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "verbs:", err)
		os.Exit(1)
	}
	s, err := read(out, os.Stdout)
	ended := cmd.Wait()
	if err != nil {
		fmt.Fprintln(os.Stderr, "verbs:", err)
		os.Exit(1)
	}
	fmt.Println(s)
	if ended != nil || s.passed < len(s.scripts) || len(s.scripts) == 0 {
		os.Exit(1)
	}
}
