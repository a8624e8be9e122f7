package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A report collects the tables for docs/performance.md, and prints each row's line as soon as it is known.
type report struct {
	rounds  int
	machine string
	peers   []string
	tables  bytes.Buffer
	lines   []string
}

// timed reports a table of commands.
func (rep *report) timed(t table, commands []command, samples [][]sample, only string) {
	fmt.Fprintf(&rep.tables, "\n## %s\n\n", t.title)
	fmt.Fprintln(&rep.tables, "| command | quiet of n | p50 ms | p95 | min | CPU ms | x hull |\n|---|---|---|---|---|---|---|")
	for i, c := range commands {
		used, quiet := counted(samples[i])
		wall := sorted(used, func(s sample) time.Duration { return s.wall })
		cpu := sorted(used, func(s sample) time.Duration { return s.cpu })
		fmt.Fprintf(&rep.tables, "| %s | %d/%d | %s | %s | %s | %s | %.2f |\n", c.name, quiet, len(samples[i]),
			ms(at(wall, 0.5)), ms(at(wall, 0.95)), ms(wall[0]), ms(at(cpu, 0.5)), ratio(samples[i], samples[0]))
	}
	index := func(name string) int {
		return slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	}
	for _, r := range t.rows {
		if only != "" && r.name != only {
			continue
		}
		mine, peer := samples[index(r.mine)], samples[index(r.peer)]
		rep.row(r, median(mine), median(peer), ratio(mine, peer))
	}
}

// counted reports what is counted, not timed.
func (rep *report) counted(t table, f figure) {
	fmt.Fprintf(&rep.tables, "\n## %s\n\n%.0f (%s)\n", t.title, f.value, f.detail)
	r := t.rows[0]
	rep.say("bench: %s hull=%.0f peer=- ratio=- goal=%g %s (%s)", r.name, f.value, r.goal, verdict(f.value, r.goal), f.detail)
}

func (rep *report) row(r row, mine, peer time.Duration, ratio float64) {
	rep.say("bench: %s hull=%sms peer=%sms ratio=%.3f goal=%g %s", r.name, ms(mine), ms(peer), ratio, r.goal, verdict(ratio, r.goal))
}

func (rep *report) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	fmt.Println(line)
	rep.lines = append(rep.lines, line)
}

func verdict(figure, goal float64) string {
	if figure > goal {
		return "short"
	}
	return "ok"
}

// counted leaves the busy samples out, if enough quiet ones remain: ten, or a third.
func counted(samples []sample) (used []sample, quiet int) {
	used = slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return s.busy })
	if quiet = len(used); quiet < min(10, (len(samples)+2)/3) {
		used = samples
	}
	return used, quiet
}

// ratio is the median of the ratios of samples that were taken in the same round.
func ratio(a, b []sample) float64 {
	var all, quiet []float64
	for i := range a {
		r := float64(a[i].wall) / float64(b[i].wall)
		all = append(all, r)
		if !a[i].busy && !b[i].busy {
			quiet = append(quiet, r)
		}
	}
	if len(quiet) < min(10, (len(a)+2)/3) {
		quiet = all
	}
	slices.Sort(quiet)
	return quiet[len(quiet)/2]
}

func median(samples []sample) time.Duration {
	used, _ := counted(samples)
	return at(sorted(used, func(s sample) time.Duration { return s.wall }), 0.5)
}

func sorted(samples []sample, of func(sample) time.Duration) []time.Duration {
	v := make([]time.Duration, len(samples))
	for i, s := range samples {
		v[i] = of(s)
	}
	slices.Sort(v)
	return v
}

func at(v []time.Duration, q float64) time.Duration { return v[int(q*float64(len(v)-1)+0.5)] }

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }

func (rep *report) markdown() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, `# Performance

`+"`make bench`"+` wrote this page: hull beside the real peers, their commands in turn in the same rounds (%d counted), on one machine.
Ratios travel better than times. A sample in which other programs used more than a seventh of the machine is busy, and counts only where
too few are quiet. CPU is that of everything that works for the command: client, daemons, shims, runtimes, the container.

%s

`, rep.rounds, rep.machine)
	for _, p := range rep.peers {
		fmt.Fprintln(&out, "-", p)
	}
	fmt.Fprintf(&out, "\n## Aims\n\n    %s\n", strings.Join(rep.lines, "\n    "))
	out.Write(rep.tables.Bytes())
	return out.Bytes()
}

// describeMachine is what the figures depend on most.
func describeMachine() string {
	var u unix.Utsname
	unix.Uname(&u)
	model := ""
	text, _ := os.ReadFile("/proc/cpuinfo")
	for _, line := range strings.Split(string(text), "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			model = strings.TrimSpace(v)
		}
	}
	return fmt.Sprintf("Linux %s, %d CPUs (%s), %s.", unix.ByteSliceToString(u.Release[:]), runtime.NumCPU(), model, time.Now().UTC().Format(time.DateOnly))
}
