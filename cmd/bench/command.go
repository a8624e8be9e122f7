package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A command is a program with its arguments, as one line of words; {i} becomes a number that no other run has. Or it is what do does.
type command struct {
	name          string // in the tables
	line          string
	do            func(i int) error
	before, after func(i int) error // if set: run around each sample, uncounted
}

// words are the command's for the i-th run.
func words(line string, i int) []string {
	return strings.Fields(strings.ReplaceAll(line, "{i}", strconv.Itoa(i)))
}

// A sample is one run of a command.
type sample struct {
	wall time.Duration // from the fork to the wait
	cpu  time.Duration // of everything in our group: client, daemons, shims, runtimes, containers
	busy bool          // other programs used more than a seventh of the machine meanwhile
}

// run runs a line to its end. Its error carries what the program printed on standard error.
func (b *bench) run(line string) error { return b.exec(words(line, b.next()), io.Discard) }

func (b *bench) next() int { b.serial++; return b.serial }

// output is run with what the program printed.
func (b *bench) output(line string) (string, error) {
	var out bytes.Buffer
	err := b.exec(words(line, b.next()), &out)
	return out.String(), err
}

func (b *bench) exec(argv []string, out io.Writer) error {
	// A file, not a pipe: the container that a runtime leaves behind holds it too, and the end of a pipe would be waited for.
	text, err := os.CreateTemp(b.root, "stderr")
	if err != nil {
		return err
	}
	defer text.Close()
	defer os.Remove(text.Name())
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stderr = b.env, text
	if out != io.Discard {
		cmd.Stdout = out
	}
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(text.Name())
		return fmt.Errorf("%s: %w: %.500s", strings.Join(argv, " "), err, bytes.TrimSpace(said))
	}
	return nil
}

// take runs a command once, and looks at the clocks around it.
func (b *bench) take(c command) (s sample, err error) {
	i := b.next()
	if c.before != nil {
		if err := c.before(i); err != nil {
			return s, err
		}
	}
	b.calm()
	mine, all, start := b.mine(), b.usage(""), time.Now()
	if c.do == nil {
		c.do = func(i int) error { return b.exec(words(c.line, i), io.Discard) }
	}
	if err := c.do(i); err != nil {
		return s, err
	}
	s.wall = time.Since(start)
	s.cpu = b.mine() - mine
	s.busy = b.usage("")-all-s.cpu > s.wall/7
	if c.after != nil {
		err = c.after(i)
	}
	return s, err
}

// calm waits, for a tenth of a second at most, for a moment in which nobody computes: what the last run left to do in the background is
// not this one's.
func (b *bench) calm() {
	for range 5 {
		before := b.usage("")
		time.Sleep(20 * time.Millisecond)
		if b.usage("")-before < 6*time.Millisecond {
			return
		}
	}
}

// mine is the CPU time of all that is measured: clients, daemons, shims and the peers' containers in our group, hull's containers in theirs.
func (b *bench) mine() time.Duration { return b.usage(b.group) + b.usage(b.hullGroup) }

// usage is the CPU time that a group has used (cgroup v1, cpuacct.usage in nanoseconds); "" is the whole machine's.
func (b *bench) usage(group string) time.Duration {
	text, err := os.ReadFile("/sys/fs/cgroup/cpuacct/" + group + "/cpuacct.usage")
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return time.Duration(n)
}

// until repeats a line until it succeeds, for as long as a daemon may need to come up.
func (b *bench) until(line string) (err error) {
	for range 200 {
		if err = b.run(line); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.Join(errors.New("it does not come up"), err)
}
