// Package shimproc starts shims, finds them again, and cleans up after them.
//
// A shim is a program that stays with one container when every daemon is gone (containerd shim v2). Start runs `SHIM … start`, which leaves
// a second, long-lived process behind and prints its address; Connect dials it; Delete runs `SHIM … delete`, which removes what a dead
// shim has left. hull-containerd is never a shim's parent for longer than that first process lives.
//
// The task package calls it, with hull-shim and with foreign shims (containerd-shim-runc-v2) alike. A shim that answers garbage or
// nothing gives an error within Limit, and what it may have left behind is ended.
package shimproc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"hull/containerd/bundle"
	"hull/stages"
	"hull/trace/span"
)

// Limits of time.
const (
	StartLimit  = 10 * time.Second // `start`, and the first connection
	DeleteLimit = 5 * time.Second  // `delete`: containerd's budget
	maxAnswer   = 64 << 10         // bytes of either's standard output
)

// A Launcher knows what every shim of this instance is told.
type Launcher struct {
	Hull  string // hull-shim's path, for the runtime name io.containerd.hull.v2
	Self  string // our own program, the shim's -publish-binary
	GRPC  string // our gRPC socket
	TTRPC string // our socket for events
	Spans string // hull-trace's span socket
}

// HullRuntime is the runtime name of hull-shim.
const HullRuntime = "io.containerd.hull.v2"

// Binary finds the shim of a runtime name: hull's own beside us; any other by containerd's rule, the last two dotted parts on PATH
// (io.containerd.runc.v2 is containerd-shim-runc-v2); an absolute path is itself.
func (l *Launcher) Binary(runtime string) (string, error) {
	missing := func(kind stages.Kind, err error, hint string) error {
		return &stages.Error{Step: stages.ContainerdShimStart, Kind: kind, Thing: fmt.Sprintf("runtime %q", runtime), Err: err, Hint: hint}
	}
	path, hint := runtime, ""
	switch {
	case runtime == HullRuntime || runtime == "":
		path, hint = l.Hull, "build hull-shim, or name it with --shim"
	case filepath.IsAbs(runtime):
	default:
		part := strings.Split(runtime, ".")
		if len(part) < 2 || part[len(part)-1] == "" || strings.ContainsRune(runtime, '/') {
			return "", missing(stages.Invalid, errors.New("not a runtime's name"), "such as "+HullRuntime)
		}
		name := "containerd-shim-" + part[len(part)-2] + "-" + part[len(part)-1]
		found, err := exec.LookPath(name)
		if err != nil {
			return "", missing(stages.NotFound, fmt.Errorf("there is no %s on PATH", name), "")
		}
		path = found
	}
	if info, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		// Not the errno's words: a docker client reads "no such file or directory" as "the container's program is missing" (exit code 127).
		return "", missing(stages.NotFound, fmt.Errorf("%s is missing", path), hint)
	} else if err != nil {
		return "", missing(stages.NotFound, err, hint)
	} else if info.IsDir() || info.Mode()&0o111 == 0 {
		return "", missing(stages.NotFound, fmt.Errorf("%s cannot be executed", path), hint)
	}
	return path, nil
}

// An Order is one shim to be started or cleaned up after.
type Order struct {
	Binary    string
	Namespace string
	ID        string
	Bundle    *bundle.Bundle
}

// command is `SHIM -namespace N -address GRPC -publish-binary SELF -id ID -bundle B VERB`, in the bundle's directory.
func (l *Launcher) command(ctx context.Context, o Order, verb string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, o.Binary, "-namespace", o.Namespace, "-address", l.GRPC, "-publish-binary", l.Self,
		"-id", o.ID, "-bundle", o.Bundle.Dir, verb)
	cmd.Dir = o.Bundle.Dir
	cmd.Env = append(span.Env(span.Current(ctx), l.Spans), span.WithoutEnv(os.Environ())...)
	cmd.Env = append(cmd.Env, "TTRPC_ADDRESS="+l.TTRPC, "GRPC_ADDRESS="+l.GRPC, "NAMESPACE="+o.Namespace, "MAX_SHIM_VERSION=2", "GOMAXPROCS=1")
	// A process group of its own: a Ctrl-C in the terminal that runs us must not reach the shim (setpgid(2)).
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// The serving process inherits these pipes for a moment; Wait must not hang on one that keeps them.
	cmd.WaitDelay = time.Second
	out, text := &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = &bounded{out}, &bounded{text}
	return cmd, out, text
}

// bounded keeps the first maxAnswer bytes and swallows the rest.
type bounded struct{ *bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxAnswer - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// Start runs `SHIM start` and returns the address of the process it left behind. options travel to it on standard input (containerd up
// to 2.2: the Any itself).
func (l *Launcher) Start(ctx context.Context, o Order, options *anypb.Any) (_ Address, err error) {
	// The child is forked here, from one of our threads among many: the row is marked as kernel work, so that this thread stays ours
	// and the eBPF side knows for whom it forks.
	ctx, sp := span.Start(ctx, stages.ContainerdShimStart)
	sp.Instance(o.ID)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return Address{}, err
	}
	limit, cancel := span.Limit(ctx, StartLimit)
	defer cancel()
	cmd, out, text := l.command(limit, o, "start")
	if options != nil {
		data, err := proto.Marshal(options)
		if err != nil {
			return Address{}, failed(stages.Invalid, o, err)
		}
		cmd.Stdin = bytes.NewReader(data)
	}
	switch err := cmd.Run(); {
	case limit.Err() != nil && ctx.Err() == nil:
		return Address{}, failed(stages.Unavailable, o, fmt.Errorf("it gave no address within %s", StartLimit))
	case errors.Is(err, exec.ErrWaitDelay): // the program is gone, a child of it kept the pipe: what was printed counts
	case err != nil:
		return Address{}, failed(stages.Unavailable, o, withText(err, text))
	}
	address, err := parse(out.Bytes())
	if err != nil {
		return Address{}, failed(stages.Unavailable, o, withText(err, text))
	}
	return address, nil
}

func failed(kind stages.Kind, o Order, err error) error {
	return &stages.Error{Step: stages.ContainerdShimStart, Kind: kind, Thing: o.Binary, Err: err}
}

// withText adds what the program said on standard error, on one line.
func withText(err error, text *bytes.Buffer) error {
	if line := strings.Join(strings.Fields(text.String()), " "); line != "" {
		return fmt.Errorf("%w: %.2000s", err, line)
	}
	return err
}

// Delete runs `SHIM delete`: it kills and removes what is left of a container whose shim is gone, and says what it knows of the exit. It is
// idempotent.
func (l *Launcher) Delete(ctx context.Context, o Order) (*task.DeleteResponse, error) {
	// Not stopped by the caller's end: half a clean-up is worse than a late answer.
	ctx, cancel := span.Limit(context.WithoutCancel(ctx), DeleteLimit)
	defer cancel()
	cmd, out, text := l.command(ctx, o, "delete")
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return nil, &stages.Error{Kind: stages.Internal, Thing: o.Binary + " delete", Err: withText(err, text)}
	}
	var answer task.DeleteResponse
	if err := proto.Unmarshal(out.Bytes(), &answer); err != nil {
		return nil, &stages.Error{Kind: stages.Internal, Thing: o.Binary + " delete", Err: fmt.Errorf("its answer is no DeleteResponse: %w", err)}
	}
	return &answer, nil
}
