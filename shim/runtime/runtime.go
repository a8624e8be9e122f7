// Package runtime is the OCI runtime's command line, as seen by its caller: which program, which flags, what its log says when it fails.
// shim/task calls it; any OCI runtime fits (runc, crun, hull-runc).
//
// The runtime is a program and stays one: nothing here knows how a container is made. Each verb is one exec; the shim runs create, start
// and delete for a plain container and nothing more.
package runtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"hull/shim/reap"
	"hull/stages"
	"hull/trace/span"

	"golang.org/x/sys/unix"
)

// A Runtime is one runtime program with the flags that are the same for all verbs.
type Runtime struct {
	Binary        string // absolute path
	Root          string // --root: where it keeps its states
	SystemdCgroup bool
	NoPivot       bool
	NoNewKeyring  bool

	Bundle string
	Spans  string // hull-trace's socket, for the environment of a traced runtime
	Reaper *reap.Reaper
	calls  atomic.Int64

	seal   sync.Once
	sealed string // see programPath
}

// A Call is one execution of the runtime.
type Call struct {
	Verb  string
	Args  []string
	Stdin *os.File
	Files [2]*os.File  // standard output and error; nil: what it prints is kept for the error text
	Adopt func() error // called when the runtime has succeeded, before unknown orphans are reaped again
}

// Create runs `create`: stdio is the container's, pidFile gets its first process.
func (r *Runtime) Create(ctx context.Context, id, pidFile, console string, stdio [3]*os.File, adopt func() error) error {
	args := []string{"--bundle", r.Bundle, "--pid-file", pidFile}
	if console != "" {
		args = append(args, "--console-socket", console)
	}
	if r.NoPivot {
		args = append(args, "--no-pivot")
	}
	if r.NoNewKeyring {
		args = append(args, "--no-new-keyring")
	}
	return r.Run(ctx, Call{Verb: "create", Args: append(args, id), Stdin: stdio[0], Files: [2]*os.File{stdio[1], stdio[2]}, Adopt: adopt})
}

// Exec runs `exec --detach` with the process document in the file processFile.
func (r *Runtime) Exec(ctx context.Context, id, processFile, pidFile, console string, stdio [3]*os.File, adopt func() error) (err error) {
	ctx, sp := span.Start(ctx, stages.ShimRuntimeExec)
	defer sp.End(&err)
	args := []string{"--process", processFile, "--detach", "--pid-file", pidFile}
	if console != "" {
		args = append(args, "--console-socket", console)
	}
	return r.Run(ctx, Call{Verb: "exec", Args: append(args, id), Stdin: stdio[0], Files: [2]*os.File{stdio[1], stdio[2]}, Adopt: adopt})
}

// Start, Pause and Resume run the verb of that name.
func (r *Runtime) Start(ctx context.Context, id string) error {
	return r.Run(ctx, Call{Verb: "start", Args: []string{id}})
}

func (r *Runtime) Pause(ctx context.Context, id string) error {
	return r.Run(ctx, Call{Verb: "pause", Args: []string{id}})
}

func (r *Runtime) Resume(ctx context.Context, id string) error {
	return r.Run(ctx, Call{Verb: "resume", Args: []string{id}})
}

// Kill runs `kill`. The runtime, and not the shim, signals a container's first process: it checks that the pid in its state is still
// the same process, and only it can reach all processes of the cgroup. A container that is gone gives a NotFound error.
func (r *Runtime) Kill(ctx context.Context, id string, signal uint32, all bool) error {
	var args []string
	if all {
		args = append(args, "--all")
	}
	err := r.Run(ctx, Call{Verb: "kill", Args: append(args, id, strconv.Itoa(int(signal)))})
	if err != nil && gone(err) {
		return &stages.Error{Step: stages.RuncKill, Kind: stages.NotFound, Thing: id, Err: errors.New("process already finished")}
	}
	return err
}

// Delete runs `delete`. A container that the runtime does not know is no error: the end is reached.
func (r *Runtime) Delete(ctx context.Context, id string, force bool) (err error) {
	ctx, sp := span.Start(ctx, stages.ShimRuntimeDelete)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	var args []string
	if force {
		args = append(args, "--force")
	}
	err = r.Run(ctx, Call{Verb: "delete", Args: append(args, id)})
	if err != nil && strings.Contains(err.Error(), "does not exist") {
		return nil
	}
	return err
}

// Update runs `update` with the resources document on its standard input.
func (r *Runtime) Update(ctx context.Context, id string, resources []byte) error {
	f, err := memfile("resources")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(resources, 0); err != nil {
		return err
	}
	return r.Run(ctx, Call{Verb: "update", Args: []string{"--resources=-", id}, Stdin: f})
}

// gone reports whether kill failed because there was nobody left to kill. Runtimes say it in words only.
func gone(err error) bool {
	text := err.Error()
	for _, words := range []string{"process already finished", "container not running", "no such process", "does not exist"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// Run executes the runtime and waits for it. The error's text is the last error line of the runtime's log.
func (r *Runtime) Run(ctx context.Context, c Call) error {
	log := filepath.Join(r.Bundle, fmt.Sprintf("log-%d.json", r.calls.Add(1)))
	defer os.Remove(log)
	argv := []string{r.Binary, "--root", r.Root, "--log", log, "--log-format", "json"}
	if r.SystemdCgroup {
		argv = append(argv, "--systemd-cgroup")
	}
	argv = append(append(argv, c.Verb), c.Args...)

	// What the runtime itself prints goes to a memory file, not a pipe: nobody has to read it while the runtime runs, and a container's
	// process that inherits it keeps nothing waiting.
	printed, err := memfile("printed")
	if err != nil {
		return err
	}
	defer printed.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	stdio := [3]*os.File{c.Stdin, c.Files[0], c.Files[1]}
	for i, replacement := range []*os.File{null, printed, printed} {
		if stdio[i] == nil {
			stdio[i] = replacement
		}
	}
	attr := &syscall.ProcAttr{
		Dir:   r.Bundle,
		Env:   r.env(ctx),
		Files: []uintptr{stdio[0].Fd(), stdio[1].Fd(), stdio[2].Fd()},
	}
	child, err := r.Reaper.Start(r.programPath(), argv, attr)
	if err != nil {
		return &stages.Error{Kind: stages.Unavailable, Thing: r.Binary, Err: err, Hint: "is the runtime installed?"}
	}
	defer r.Reaper.Settled()
	exit := child.Wait()
	if exit.Status == 0 {
		if c.Adopt != nil {
			return c.Adopt()
		}
		return nil
	}
	text := lastError(log)
	if text == "" {
		text = tail(printed)
	}
	if text == "" {
		text = fmt.Sprintf("exit status %d and no word why", exit.Status)
	}
	failed := &stages.Error{Thing: "OCI runtime " + c.Verb + " failed", Err: errors.New(text)}
	switch c.Verb {
	case "create":
		failed.Step = stages.ShimRuntimeCreate
	case "start":
		failed.Step = stages.ShimRuntimeStart
	case "delete":
		failed.Step = stages.ShimRuntimeDelete
	case "exec":
		failed.Step = stages.ShimRuntimeExec
	}
	return failed
}

// env is the runtime's environment: the trace's place first (the kernel side reads only the head of the block), then our own without
// what is meant for us alone.
func (r *Runtime) env(ctx context.Context) []string {
	env := span.Env(span.Current(ctx), r.Spans)
	for _, e := range span.WithoutEnv(os.Environ()) {
		if !strings.HasPrefix(e, "GOMAXPROCS=") && !strings.HasPrefix(e, "TTRPC_ADDRESS=") && !strings.HasPrefix(e, "GRPC_ADDRESS=") {
			env = append(env, e)
		}
	}
	if filepath.Base(r.Binary) == "hull-runc" {
		env = append(env, "GOMAXPROCS=1") // it does one thing after the other: a second processor would only cost its start
	}
	return env
}

// lastError is the message of the last line with level error in a runtime's JSON log; "" if there is none.
func lastError(path string) (last string) {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for dec := json.NewDecoder(io.LimitReader(f, 1<<20)); ; {
		var line struct{ Level, Msg string }
		if err := dec.Decode(&line); err != nil {
			return last
		}
		if line.Level == "error" || line.Level == "fatal" {
			last = strings.TrimSpace(line.Msg)
		}
	}
}

// tail is the last line of what a runtime printed, for one that failed before it had a log.
func tail(f *os.File) string {
	buf := make([]byte, 4096)
	size, _ := f.Seek(0, io.SeekEnd)
	n, _ := f.ReadAt(buf, max(0, size-int64(len(buf))))
	text := bytes.TrimSpace(buf[:n])
	return string(text[bytes.LastIndexByte(text, '\n')+1:])
}

func memfile(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
