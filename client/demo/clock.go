package demo

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A clock is what the container has printed, read from the log file that its shim writes: the numbers 0, 1, 2, … with the time since the
// machine's start.
type clock struct {
	lines []string
	gaps  int // numbers that are missing, or come twice, or not in order
}

// readClock reads a log of docker's json-file form.
func readClock(file string) (c clock) {
	text, err := os.ReadFile(file)
	if err != nil {
		return c
	}
	for line := range strings.Lines(string(text)) {
		var entry struct{ Log string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue // the line that is being written
		}
		c.add(entry.Log)
	}
	return c
}

func (c *clock) add(line string) {
	line = strings.TrimSpace(line)
	number, _, _ := strings.Cut(line, " ")
	if n, err := strconv.Atoi(number); err != nil || n != len(c.lines) {
		c.gaps++
	}
	c.lines = append(c.lines, line)
}

// picture is the end of it, and what can be said of the whole.
func (c clock) picture() string {
	var b strings.Builder
	for _, line := range c.lines[max(0, len(c.lines)-5):] {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	fmt.Fprintf(&b, "  %d lines, %s\n", len(c.lines), gaps(c.gaps))
	return b.String()
}

func gaps(n int) string {
	if n == 0 {
		return "no gap"
	}
	return fmt.Sprintf("%d GAPS", n)
}
