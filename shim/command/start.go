package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"hull/shim/wire"
	"hull/stages"
	"hull/stages/instance"
	"hull/trace/span"

	"golang.org/x/sys/unix"
)

// maxStdin bounds what start reads: options, or a BootstrapParams message.
const maxStdin = 1 << 20

// fileAddress is the bundle's note of where the shim listens (docs/seams.md, section 3).
const fileAddress = "address"

// start makes the socket, leaves the serving shim behind and prints where it listens. It is a process of its own so that the serving one
// is nobody's child for long: it belongs to no daemon and ends with none.
func (c *call) start(stdin io.Reader, stdout io.Writer) (err error) {
	rec, parent := span.FromEnv(stages.Shim.Binary())
	ctx, sp := span.Start(rec.Join(context.Background(), parent), stages.ShimStart)
	defer rec.Close()
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}

	params, err := c.bootstrap(stdin)
	if err != nil {
		return err
	}
	if c.ttrpc == "" {
		return shimError(stages.Invalid, "TTRPC_ADDRESS", errors.New("empty: there is nobody to tell events to"))
	}
	wanted := ""
	if params != nil {
		wanted = params.SocketDir
	}
	socket := c.socketPath(c.socketDir(wanted))
	// The socket is there before the answer: whoever reads the address can connect, and waits until the server accepts.
	l, err := instance.Listen("unix", socket, 0o600)
	if err != nil {
		return shimError(stages.Conflict, socket, err)
	}
	defer l.Close()
	defer func() {
		if err != nil {
			os.Remove(socket)
		}
	}()
	// The serving shim needs the longest of all this to get going, so it goes first.
	pid, err := c.fork(ctx, l, socket)
	if err != nil {
		return err
	}
	address := "unix://" + socket
	err = errors.Join(
		outlive(pid),
		os.WriteFile(filepath.Join(c.bundle, fileAddress), []byte(address), 0o600),
		os.WriteFile(filepath.Join(c.bundle, "shim.pid"), []byte(strconv.Itoa(pid)), 0o600),
	)
	if err == nil {
		err = answer(stdout, address, params != nil)
	}
	if err != nil {
		unix.Kill(pid, unix.SIGKILL) // our child, not reaped: the number is still its own
	}
	return err
}

// bootstrap reads standard input. containerd ≥ 2.3 sends BootstrapParams; older ones an Any with runtime options, which come again with
// Create, or nothing. Protobuf cannot tell the two apart (both begin with a string), so a message is taken for BootstrapParams only if it
// names our container.
func (c *call) bootstrap(stdin io.Reader) (*wire.BootstrapParams, error) {
	b, err := io.ReadAll(io.LimitReader(stdin, maxStdin+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxStdin {
		return nil, shimError(stages.Invalid, "standard input", errors.New("longer than 1 MiB"))
	}
	var p wire.BootstrapParams
	if len(b) == 0 || wire.Unmarshal(b, &p) != nil || p.InstanceID != c.id {
		return nil, nil
	}
	if p.ContainerdTtrpcAddress != "" {
		c.ttrpc = p.ContainerdTtrpcAddress
	}
	if p.ContainerdGrpcAddress != "" {
		c.grpc = p.ContainerdGrpcAddress
	}
	c.debug = c.debug || p.LogLevel <= wire.LevelDebug
	return &p, nil
}

// answer prints what the caller can read: version 3 as protobuf if it has shown that it knows that; JSON with version 2 if it says which
// versions it speaks (containerd 1.7 and later); and else the bare address, all that containerd 1.6 understands: it would dial the JSON.
func answer(stdout io.Writer, address string, modern bool) error {
	switch {
	case !modern && os.Getenv("MAX_SHIM_VERSION") == "":
		_, err := io.WriteString(stdout, address)
		return err
	case !modern:
		b, err := json.Marshal(struct {
			Version  int    `json:"version"`
			Address  string `json:"address"`
			Protocol string `json:"protocol"`
		}{2, address, "ttrpc"})
		if err != nil {
			return err
		}
		_, err = stdout.Write(b)
		return err
	}
	_, err := stdout.Write(wire.Marshal(&wire.BootstrapResult{Version: 3, Address: address, Protocol: "ttrpc"}))
	return err
}

// fork starts the serving shim: the listener is its descriptor 3, a session of its own keeps a terminal's signals away (setsid(2)).
func (c *call) fork(ctx context.Context, l interface{ File() (*os.File, error) }, socket string) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	listener, err := l.File()
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	log, err := c.openLog()
	if err != nil {
		return 0, err
	}
	defer log.Close()

	argv := []string{
		self, "-namespace", c.namespace, "-id", c.id, "-address", c.grpc, "-bundle", c.bundle, "-publish-binary", c.publish, "-socket", socket,
	}
	if c.debug {
		argv = append(argv, "-debug")
	}
	// TRACEPARENT comes first (see span.Env). One processor is enough for a program that copies bytes and waits, and keeps it at few threads.
	env := append(span.Env(span.Current(ctx), c.spanSocket()), "GOMAXPROCS=1", "TTRPC_ADDRESS="+c.ttrpc)
	for _, e := range span.WithoutEnv(os.Environ()) {
		if !strings.HasPrefix(e, "GOMAXPROCS=") && !strings.HasPrefix(e, "TTRPC_ADDRESS=") { // of two, the first would count
			env = append(env, e)
		}
	}
	pid, err := syscall.ForkExec(self, append(argv, "serve"), &syscall.ProcAttr{
		Dir:   c.bundle,
		Env:   env,
		Files: []uintptr{null.Fd(), null.Fd(), log.Fd(), listener.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, shimError(stages.Internal, self, err)
	}
	return pid, nil
}

// outlive makes the shim a little more likely to be killed for memory than its daemon (which can restart), and much less than the container:
// the kernel's score of its parent, plus one. proc(5), oom_score_adj; without CAP_SYS_RESOURCE it may be raised and not lowered.
func outlive(pid int) error {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", os.Getppid()))
	if err != nil {
		return nil // the parent is in another pid namespace, or gone
	}
	var score int
	if _, err := fmt.Sscan(string(b), &score); err != nil {
		return err
	}
	err = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(strconv.Itoa(min(score+1, 1000))), 0o600)
	if errors.Is(err, os.ErrPermission) {
		return nil
	}
	return err
}

// openLog is where the serving shim reports: the bundle's FIFO named log, which containerd reads, or, where nobody made one, the bundle's
// file shim.log. Opened for reading too, a FIFO does not break when containerd dies; non-blocking, a full one loses lines and holds
// nothing up.
func (c *call) openLog() (*os.File, error) {
	fifo := filepath.Join(c.bundle, "log")
	if info, err := os.Stat(fifo); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		fd, err := unix.Open(fifo, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, shimError(stages.Internal, fifo, err)
		}
		return os.NewFile(uintptr(fd), fifo), nil
	}
	return os.OpenFile(filepath.Join(c.bundle, "shim.log"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}

func shimError(kind stages.Kind, thing string, err error) error {
	return &stages.Error{Step: stages.ShimStart, Kind: kind, Thing: thing, Err: err}
}
