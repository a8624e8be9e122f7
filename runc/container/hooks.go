package container

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"hull/runc/hook"
	"hull/runc/linux"
	"hull/runc/namespace"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// keepHooks puts into the state what the later verbs' hooks need: what config.json says then does not count (runtime.md, lifecycle, 2).
func (s *State) keepHooks(spec *specs.Spec) (err error) {
	if spec.Hooks != nil {
		s.Hooks, err = keep(spec.Hooks)
	}
	if err == nil && len(hook.StartContainer.Of(spec.Hooks)) > 0 {
		s.HookProcess, err = keep(spec.Process)
	}
	return err
}

// seenBy is the state as the hooks of one kind get it. Those of create run when the environment is made: the status is then "created"
// (runtime.md, state: "after step 2"). In the container's namespaces the pid is the one that is seen there.
func (s *State) seenBy(k hook.Kind, pid int) (*specs.State, error) {
	status := specs.StateCreated
	switch k {
	case hook.Poststart:
		status = specs.StateRunning
	case hook.Poststop:
		status = specs.StateStopped
	case hook.CreateContainer, hook.StartContainer:
		var err error
		if pid, err = innerPID(pid); err != nil {
			return nil, err
		}
	}
	return &specs.State{Version: s.OCIVersion, ID: s.ID, Status: status, Pid: pid, Bundle: s.Bundle, Annotations: s.Annotations}, nil
}

// innerPID is the process's number in its own pid namespace: the last of NSpid in /proc/PID/status (proc_pid_status(5), Linux 4.1).
func innerPID(pid int) (int, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	_, line, _ := bytes.Cut(text, []byte("\nNSpid:"))
	line, _, _ = bytes.Cut(line, []byte("\n"))
	numbers := strings.Fields(string(line))
	if len(numbers) == 0 {
		return 0, fmt.Errorf("/proc/%d/status: no NSpid", pid)
	}
	return strconv.Atoi(numbers[len(numbers)-1])
}

// call runs the hooks of one kind. With goOn their failures are told to that, and are none.
func (s *State) call(ctx context.Context, k hook.Kind, pid int, place hook.Place, goOn func(string)) error {
	hooks, err := s.Hooks.get()
	if err == nil && len(k.Of(hooks)) == 0 {
		return nil
	}
	var state *specs.State
	if err == nil {
		state, err = s.seenBy(k, pid)
	}
	if err != nil {
		return &stages.Error{Step: stages.RuncHook, Kind: stages.Internal, Thing: string(k), Err: err}
	}
	// On another thread: children of ours may be born in the pid namespace that the container has joined (namespace.EnterPID).
	done := make(chan error)
	go func() { done <- k.Run(ctx, hooks, state, place, goOn) }()
	return <-done
}

// hasCreateHooks: the first process waits for them, before the pivot.
func (t *initTable) hasCreateHooks() bool {
	h := t.spec.Hooks
	return len(hook.Prestart.Of(h))+len(hook.CreateRuntime.Of(h))+len(hook.CreateContainer.Of(h)) > 0
}

// createHooks runs the hooks of create while the first process waits (hold), and then lets it go on.
func (t *initTable) createHooks(ctx context.Context, pid, pidfd int) error {
	t.hooked = true
	within := func(h specs.Hook, s hook.Streams) (hook.Process, error) {
		flags, err := namespace.Others(pid)
		if err != nil {
			return hook.Process{}, err
		}
		j := &initTable{
			id: t.id, spec: &specs.Spec{Linux: &specs.Linux{}, Process: &specs.Process{}}, namespaces: &namespace.Wanted{Users: t.namespaces.Users}, console: -1, fifo: -1,
			cgroupProcs: t.cgroupProcs, cgroupNames: t.cgroupNames, target: pidfd, flags: flags, hook: &h, streams: s, warn: t.warn,
		}
		prog, err := j.hookProgram(s.Report)
		if err != nil {
			return hook.Process{}, err
		}
		joined := *t.state
		joined.PID = pid
		return born(prog, &joined)
	}
	for _, c := range []struct {
		kind  hook.Kind
		place hook.Place
	}{{hook.Prestart, hook.Here}, {hook.CreateRuntime, hook.Here}, {hook.CreateContainer, within}} {
		if err := t.state.call(ctx, c.kind, pid, c.place, nil); err != nil {
			return err
		}
	}
	return linux.Release(t.hold[1])
}

// hookProgram writes the program of a createContainer hook: in all of the container's namespaces and in its cgroup, before the pivot, so
// that its path is still the host's; with our rights, because it is the bundle's and no image's.
func (t *initTable) hookProgram(report int) (*linux.Program, error) {
	t.p = linux.New(report)
	for _, part := range []func() error{
		t.shield,
		t.joinCgroups,
		t.enter,
		t.attach,
		t.closeAll,
		t.begin,
		t.signals,
		t.become,
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return t.p, nil
}

// startHooks runs the hooks that start finds in the container: each joins as exec does, with the user's, limits and rights of the first process.
func (s *State) startHooks(ctx context.Context, warn func(string)) error {
	within := func(h specs.Hook, streams hook.Streams) (hook.Process, error) {
		first, err := s.HookProcess.get()
		if err != nil {
			return hook.Process{}, err
		}
		p := *first
		p.Args, p.Env, p.Terminal, p.ConsoleSize = []string{h.Path}, h.Env, false, nil
		t, err := s.joining(&ExecOptions{Process: &p, NewKeyring: true, Warn: warn})
		if err != nil {
			return hook.Process{}, err
		}
		defer unix.Close(t.target)
		t.hook, t.streams = &h, streams
		prog, err := t.joinProgram(streams.Report)
		if err != nil {
			return hook.Process{}, err
		}
		return born(prog, s)
	}
	return s.call(ctx, hook.StartContainer, s.PID, within, nil)
}

// born runs a program that joins the container, up to the process that it leaves there.
func born(prog *linux.Program, s *State) (hook.Process, error) {
	joiner, fd, err := spawnInto(prog, s)
	if err != nil {
		return hook.Process{}, err
	}
	return hook.Born(prog, joiner, fd)
}

// attach: a hook's streams are not ours.
func (t *initTable) attach() error {
	if t.hook != nil {
		hook.Attach(t.p, t.streams)
	}
	return nil
}

// become: the hook, or the program that exec was given.
func (t *initTable) become() error {
	if t.hook == nil {
		return t.exec()
	}
	hook.Become(t.p, *t.hook)
	return nil
}

// waitForHooks: all mounts are made, and the root is still the host's: hooks of the runtime see the container's namespaces, those in them the
// host's paths. Left out, the hooks would run beside the set-up.
func (t *initTable) waitForHooks() error {
	t.p.At(stages.None, "hooks")
	t.p.Hold(linux.Cell(t.hold[0]), linux.Cell(t.hold[1]))
	return nil
}

// stopsOnPoststart: since 1.2.0 of the specification a failed poststart hook ends the container. Before, it was a warning, and bundles of today
// say 1.0 or 1.1. runc always ends the container, crun never does.
func (s *State) stopsOnPoststart() bool {
	minor, _, _ := strings.Cut(strings.TrimPrefix(s.OCIVersion, "1."), ".")
	return minor != "0" && minor != "1"
}
