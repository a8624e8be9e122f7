// Command attacks runs the tests of the attacks in docs/attacks.md, says of each whether it held, and ends with one line of sums:
// "attacks: N held, N failed, N not offered". Races are run HULL_ATTACK_ROUNDS times each.
package main

import (
	"fmt"
	"os"
	"os/exec"
)

func main() {
	tests, err := find(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "attacks:", err)
		os.Exit(1)
	}
	// One package at a time, no cache: what is tested is outside of Go's sight.
	cmd := exec.Command("go", append([]string{"test", "-json", "-count=1", "-p=1", "-timeout=2h", "-run", "^TestAttack"}, packages(tests)...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	var s sums
	if err == nil {
		s, err = read(out, tests, os.Stdout)
		cmd.Wait() // its exit code says no more than the events
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "attacks:", err)
		os.Exit(1)
	}
	s.print(os.Stdout)
	if err := check(tests); err != nil {
		fmt.Fprintln(os.Stderr, "attacks:", err)
		os.Exit(1)
	}
	if s.failed > 0 {
		os.Exit(1)
	}
}
