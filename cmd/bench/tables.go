package main

import (
	"fmt"
	"slices"
	"time"
)

// A table is commands that are run in turn. The first is hull's; rows hold it against the others.
type table struct {
	title    string
	before   func(*bench) error // what must be there, such as a running container
	commands func(*bench) ([]command, error)
	rows     []row
	after    func(*bench)
	count    func(*bench) (figure, error) // in place of commands: something that is counted, not timed
}

// A row is one line of the result: one of the table's commands against another one of them.
type row struct {
	name       string
	mine, peer string // commands' names; without a peer the figure itself is held against the goal
	goal       float64
}

func (t table) has(name string) bool {
	return slices.ContainsFunc(t.rows, func(r row) bool { return r.name == name })
}

var tables = []table{
	{
		title: "run --rm --network none busybox echo hi",
		commands: func(b *bench) ([]command, error) {
			run := " run --rm --network none " + image + " echo hi"
			return []command{
				{name: "hull", line: "hull" + run},
				{name: "docker", line: docker + run},
				{name: "podman, crun", line: b.podman() + " run --rm --cgroup-parent /" + b.group + " --network none " + image + " echo hi"},
				{name: "podman, runc", line: b.podman() + " --runtime runc run --rm --cgroup-parent /" + b.group + " --network none " + image + " echo hi"},
				{name: "ctr", line: b.ctr() + " run --rm --cgroup /" + b.group + "/c{i} docker.io/library/" + image + " c{i} echo hi"},
			}, nil
		},
		rows: []row{{"run-none", "hull", "docker", 0.10}, {"run-none-podman", "hull", "podman, crun", 0.5}, {"run-none-ctr", "hull", "ctr", 0.5}},
	},
	{
		title: "run --rm busybox echo hi (the default network)",
		commands: func(b *bench) ([]command, error) {
			run := " run --rm " + image + " echo hi"
			return []command{
				{name: "hull", line: "hull" + run},
				{name: "docker", line: docker + run},
				{name: "podman, crun", line: b.podman() + " run --rm --cgroup-parent /" + b.group + " " + image + " echo hi"},
			}, nil
		},
		rows: []row{{"run-bridge", "hull", "docker", 0.12}},
	},
	{
		title:  "exec in a running container",
		before: (*bench).startSleepers,
		commands: func(b *bench) ([]command, error) {
			return []command{
				{name: "hull", line: "hull exec bench echo hi"},
				{name: "docker", line: docker + " exec bench echo hi"},
				{name: "podman, crun", line: b.podman() + " exec bench echo hi"},
				{name: "ctr", line: b.ctr() + " task exec --exec-id e{i} bench echo hi"},
			}, nil
		},
		after: (*bench).endSleepers,
		rows:  []row{{"exec", "hull", "docker", 0.3}},
	},
	{
		title: "the client alone",
		commands: func(b *bench) ([]command, error) {
			return []command{
				{name: "hull version", line: "hull version"},
				{name: "hull ps", line: "hull ps"},
				{name: "docker version", line: docker + " version"},
				{name: "docker ps", line: docker + " ps"},
				{name: "podman ps", line: b.podman() + " ps"},
			}, nil
		},
		rows: []row{{"version", "hull version", "docker version", 0.3}, {"ps", "hull ps", "docker ps", 0.3}},
	},
	{
		title: "run --rm --network none, traced and not",
		commands: func(b *bench) ([]command, error) {
			return []command{
				{name: "traced", line: "hull run --rm --trace --network none " + image + " echo hi"},
				{name: "not traced", line: "hull run --rm --network none " + image + " echo hi"},
			}, nil
		},
		rows: []row{{"tracing", "traced", "not traced", 1.05}},
	},
	{
		title:    "the OCI runtimes alone: create, start, wait and delete of one bundle with docker's kind of spec",
		commands: perRuntime(func(l lifecycle) command { return command{do: all(l.create, l.start, l.wait, l.delete)} }),
		rows:     []row{{"runtime", "hull-runc", "runc", 0.5}, {"runtime-crun", "hull-runc", "crun", 0.6}},
	},
	{
		title:    "the same by `run`, in one process",
		commands: perRuntime(func(l lifecycle) command { return command{do: l.run} }),
		rows:     []row{{"runtime-run", "hull-runc", "runc", 0.3}, {"runtime-run-crun", "hull-runc", "crun", 0.6}},
	},
	{
		title:    "`create` alone",
		commands: perRuntime(func(l lifecycle) command { return command{do: l.create, after: all(l.start, l.wait, l.delete)} }),
		rows:     []row{{"runtime-create", "hull-runc", "runc", 0.6}, {"runtime-create-crun", "hull-runc", "crun", 0.6}},
	},
	{
		title:    "`start` alone",
		commands: perRuntime(func(l lifecycle) command { return command{before: l.create, do: l.start, after: all(l.wait, l.delete)} }),
		rows:     []row{{"runtime-start", "hull-runc", "runc", 0.6}, {"runtime-start-crun", "hull-runc", "crun", 0.6}},
	},
	{
		title:    "`delete` alone",
		commands: perRuntime(func(l lifecycle) command { return command{before: all(l.create, l.start, l.wait), do: l.delete} }),
		rows:     []row{{"runtime-delete", "hull-runc", "runc", 0.6}, {"runtime-delete-crun", "hull-runc", "crun", 0.6}},
	},
	{title: "programs executed for one run", count: execs, rows: []row{{name: "execs", goal: 8}}},
	{title: "page faults of one run", count: faults, rows: []row{{name: "faults", goal: 4000}}},
}

// A figure is what was counted.
type figure struct {
	value  float64
	detail string
}

// measure runs the table's commands in turn and reports its rows.
func (t table) measure(b *bench, rep *report, only string) error {
	if t.count != nil {
		f, err := t.count(b)
		if err == nil {
			rep.counted(t, f)
		}
		return err
	}
	if t.before != nil {
		if err := t.before(b); err != nil {
			return err
		}
	}
	if t.after != nil {
		defer t.after(b)
	}
	commands, err := t.commands(b)
	if err != nil {
		return err
	}
	samples := make([][]sample, len(commands))
	for round := range b.rounds + 2 {
		for i, c := range commands {
			s, err := b.take(c)
			if err != nil {
				return err
			}
			if round >= 2 { // the first two warm the caches
				samples[i] = append(samples[i], s)
			}
		}
	}
	rep.timed(t, commands, samples, only)
	return nil
}

// startSleepers starts a container on each side, for exec.
func (b *bench) startSleepers() error {
	for _, line := range []string{
		"hull run -d --network none --name bench " + image + " sleep 3600",
		docker + " run -d --network none --name bench " + image + " sleep 3600",
		b.podman() + " run -d --network none --cgroup-parent /" + b.group + " --name bench " + image + " sleep 3600",
		b.ctr() + " run -d --cgroup /" + b.group + "/bench docker.io/library/" + image + " bench sleep 3600",
	} {
		if err := b.run(line); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) endSleepers() {
	for _, line := range []string{
		"hull rm -f bench", docker + " rm -f bench", b.podman() + " rm -f -t 0 bench",
		b.ctr() + " task kill -s 9 bench",
	} {
		if err := b.run(line); err != nil {
			fmt.Println("bench: clean up:", err)
		}
	}
	for range 100 { // until the kernel has taken it down
		if b.run(b.ctr()+" task rm bench") == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.run(b.ctr() + " container rm bench")
}
