package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hull/client/engine"
	"hull/stages/instance"
)

// An act is one thing that is done, and what is seen then. said is filled by do, and shown below the picture.
type act struct {
	title string
	watch string // what to look at, and why
	do    func(ctx context.Context) (said string, err error)
}

// perform does the acts one after the other. cast and log give the picture.
func perform(ctx context.Context, s *screen, acts []act, cast func() []process, log func() clock) error {
	for i, a := range acts {
		said, err := a.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", a.title, err)
		}
		s.act = i + 1
		next := "the end"
		if i+1 < len(acts) {
			next = acts[i+1].title
		}
		err = s.hold(ctx, func() string {
			var b strings.Builder
			fmt.Fprintf(&b, "%d/%d  %s\n\n%s\n\nProcesses, below their parents as the kernel has them:\n%s\nThe container's log:\n%s\n", i+1, len(acts), a.title, a.watch,
				tree(cast()), log().picture())
			if said != "" {
				fmt.Fprintf(&b, "-> %s\n", said)
			}
			if s.keys != nil {
				fmt.Fprintf(&b, "\n[space] %s   [q] leave\n", next)
			}
			return b.String()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// A play is the show of the restart: an instance of its own, and the container in it.
type play struct {
	hull   string // our hull binary
	inst   instance.Instance
	client *engine.Client
	id     string
	log    string
	cast   []process
	before detail // the container before anything was killed
}

// detail is what inspect says of the container.
type detail struct {
	LogPath string
	State   struct {
		Pid, ExitCode     int
		StartedAt, Status string
	}
}

// restart is the show.
func restart(ctx context.Context, s *screen) (err error) {
	p := &play{}
	if p.hull, err = beside("hull"); err != nil {
		return err
	}
	root, err := os.MkdirTemp("", "hull-demo-")
	if err != nil {
		return err
	}
	if p.inst, err = instance.At(root); err != nil {
		return err
	}
	defer func() {
		_, downErr := p.run(context.WithoutCancel(ctx), "down")
		err = errors.Join(err, downErr, os.RemoveAll(root))
	}()
	acts := []act{
		{"a container prints a clock", "Each program has started the next, but that is not what the tree shows: the container's parent is the shim.", p.begin},
		{"kill -9 hulld", "The daemon that took the order is dead. The clock goes on: no byte of it ever went through hulld.", p.killing("hulld")},
		{"kill -9 hull-containerd", "The supervisor is dead as well. Who is the container's parent now? Look at the tree.", p.killing("hull-containerd")},
		{"hull up: the daemons come back", "They find the shim again by its socket, ask it, and go on. Same pid, same start, same log.", p.back},
		{"attach again", "A new client sees the stream from here on; the log holds what came before. The trace of the run shows both restores as links.", p.attach},
		{"kill -9 hull-shim", "The shim held the container's streams and would have waited for it. What dies with it?", p.killShim},
	}
	if err := perform(ctx, s, acts, func() []process { return p.cast }, func() clock { return readClock(p.log) }); err != nil {
		return err
	}
	s.say("demo restart: hulld killed, hull-containerd killed, the container ran on, %s; the shim killed, the container died with it", gaps(readClock(p.log).gaps))
	return nil
}

// say prints the last line, for scripts.
func (s *screen) say(format string, args ...any) {
	if s.keys == nil {
		fmt.Fprintf(s.out, format+"\n", args...)
	}
}

// begin brings the instance up and starts the container.
func (p *play) begin(ctx context.Context) (string, error) {
	if _, err := p.run(ctx, "up"); err != nil {
		return "", err
	}
	out, err := p.run(ctx, "run", "-d", "--trace", "--network", "none", "hull/tiny", "clock", "0.2")
	if err != nil {
		return "", err
	}
	p.id = strings.TrimSpace(out)
	if p.before, err = p.inspect(ctx); err != nil {
		return "", err
	}
	p.log = p.before.LogPath
	container := find(p.before.State.Pid, "clock (the container)")
	shim, _ := stat(container.pid)
	for _, name := range []string{"hulld", "hull-containerd", "hull-trace"} {
		pid, _, err := instance.Holder(p.inst.PIDFile(name))
		if err != nil {
			return "", err
		}
		p.cast = append(p.cast, find(pid, name))
	}
	p.cast = append(p.cast, find(shim, "hull-shim"), container)
	return "", p.ticks(ctx, 3)
}

// killing ends a daemon and waits until the clock has gone on without it.
func (p *play) killing(name string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if err := p.kill(ctx, name); err != nil {
			return "", err
		}
		if err := p.ticks(ctx, 3); err != nil {
			return "", err
		}
		container := p.actor("clock (the container)")
		parent, _ := stat(container.pid)
		if shim := p.actor("hull-shim"); parent != shim.pid {
			return "", fmt.Errorf("the container's parent is %d, and not the shim, %d", parent, shim.pid)
		}
		return fmt.Sprintf("%s is dead; the container lives, its parent is hull-shim %d; %s", name, parent, gaps(readClock(p.log).gaps)), nil
	}
}

// back starts the daemons again, and holds what they say of the container against what was true before.
func (p *play) back(ctx context.Context) (string, error) {
	if _, err := p.run(ctx, "up"); err != nil {
		return "", err
	}
	now, err := p.inspect(ctx)
	if err != nil {
		return "", err
	}
	if now.State.Pid != p.before.State.Pid || now.State.StartedAt != p.before.State.StartedAt {
		return "", fmt.Errorf("before: pid %d since %s, now: pid %d since %s", p.before.State.Pid, p.before.State.StartedAt, now.State.Pid, now.State.StartedAt)
	}
	for i, c := range p.cast {
		if pid, alive, _ := instance.Holder(p.inst.PIDFile(c.role)); alive {
			p.cast[i] = find(pid, c.role)
		}
	}
	return fmt.Sprintf("the same container: pid %d, started %s; %s", now.State.Pid, now.State.StartedAt, gaps(readClock(p.log).gaps)), p.ticks(ctx, 2)
}

// attach reads three lines from the live stream.
func (p *play) attach(ctx context.Context) (string, error) {
	stream, err := p.client.Attach(ctx, p.id, false, false)
	if err != nil {
		return "", err
	}
	defer stream.Close()
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(stream.CopyOutput(pw, io.Discard)) }()
	defer pr.Close()
	var seen []string
	for lines := bufio.NewScanner(pr); len(seen) < 3; {
		if !lines.Scan() {
			return "", fmt.Errorf("the stream ended: %v", lines.Err())
		}
		seen = append(seen, lines.Text())
	}
	return "the live stream: " + strings.Join(seen, " | "), nil
}

// killShim ends the shim, and waits for what follows.
func (p *play) killShim(ctx context.Context) (string, error) {
	if err := p.kill(ctx, "hull-shim"); err != nil {
		return "", err
	}
	container := p.actor("clock (the container)")
	if err := until(ctx, "the container's end", func() bool { return !container.alive() }); err != nil {
		return "", err
	}
	var d detail
	err := until(ctx, "the daemon's word", func() bool {
		var err error
		d, err = p.inspect(ctx)
		return err == nil && d.State.Status != "running"
	})
	return fmt.Sprintf("the container is dead too: hull-containerd saw the shim's socket close and cleaned up after it; %s, exit code %d: nobody could wait for it", d.State.Status, d.State.ExitCode), err
}

func (p *play) actor(role string) process {
	for _, c := range p.cast {
		if c.role == role {
			return c
		}
	}
	return process{}
}

// kill sends SIGKILL to one of the cast and waits for its end.
func (p *play) kill(ctx context.Context, role string) error {
	victim := p.actor(role)
	if !victim.alive() {
		return fmt.Errorf("%s has ended already", role)
	}
	if err := syscall.Kill(victim.pid, syscall.SIGKILL); err != nil {
		return err
	}
	return until(ctx, role+"'s end", func() bool { return !victim.alive() })
}

// ticks waits until the clock has printed n more lines.
func (p *play) ticks(ctx context.Context, n int) error {
	from := len(readClock(p.log).lines)
	return until(ctx, "the clock going on", func() bool { return len(readClock(p.log).lines) >= from+n })
}

// until polls a state of the machine; a minute is for machines that have other things to do.
func until(ctx context.Context, what string, reached func() bool) error {
	for deadline := time.Now().Add(time.Minute); !reached(); time.Sleep(10 * time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited in vain for %s", what)
		}
	}
	return nil
}

// inspect asks the daemon for the container.
func (p *play) inspect(ctx context.Context) (d detail, err error) {
	p.client = engine.New(p.inst.APISocket())
	if err := p.client.Ping(ctx); err != nil {
		return d, err
	}
	text, err := p.client.Inspect(ctx, p.id)
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(text, &d)
}

// run runs hull against the instance of the show.
func (p *play) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.hull, args...)
	cmd.Env = append(os.Environ(), instance.EnvRoot+"="+p.inst.Root)
	var text bytes.Buffer
	cmd.Stderr = &text
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("hull %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(text.Bytes()))
	}
	return string(out), nil
}

// beside is a program in our own directory.
func beside(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(self), name)
	_, err = os.Stat(path)
	return path, err
}
