// Package children keeps hulld's two companions alive: hull-containerd and hull-trace. Each is a process in a session of its own, so that it
// survives hulld; a living one is adopted, never started a second time; one that dies is started again.
//
// It is called by hulld's main alone. Containers are no children of anybody here.
package children

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"hull/stages"
	"hull/stages/instance"

	"golang.org/x/sys/unix"
)

const (
	firstPause = 100 * time.Millisecond // before a child that died is started again; doubled each time
	maxPause   = 30 * time.Second
	healthy    = time.Minute // a child that lived that long starts from firstPause again
)

// A Child is one companion.
type Child struct {
	Binary string // absolute path
	Args   []string
	inst   instance.Instance
	name   string
}

// New finds the binary beside hulld's own executable. A missing one is an error that names it.
func New(inst instance.Instance, name string, args ...string) (*Child, error) {
	path, err := Beside(name)
	if err != nil {
		return nil, err
	}
	return &Child{Binary: path, Args: args, inst: inst, name: name}, nil
}

// Beside is the path of a binary in the directory of the running one.
func Beside(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(self), name)
	if err := unix.Access(path, unix.X_OK); err != nil {
		if errors.Is(err, unix.ENOENT) {
			err = errors.New("the program is missing") // docker's client reads the errno's words as "the container's program is missing": 127
		}
		return "", &stages.Error{Kind: stages.NotFound, Thing: path, Err: err, Hint: "hull's binaries belong into one directory"}
	}
	return path, nil
}

// Alive tells whether the process is there already.
func (c *Child) Alive() bool {
	_, alive, err := instance.Holder(c.inst.PIDFile(c.name))
	return err == nil && alive
}

// Keep adopts the living process or starts one, and goes on doing so until ctx ends; the process then lives on. The first result comes on
// began: nil once a process is there.
func (c *Child) Keep(ctx context.Context, began chan<- error) {
	pause := firstPause
	for first := true; ctx.Err() == nil; first = false {
		at := time.Now()
		ended, err := c.adoptOrStart()
		if first {
			began <- err
			if err != nil {
				return
			}
		}
		if err == nil {
			select {
			case <-ended:
				slog.Warn("a companion ended; starting it again", "binary", c.name)
			case <-ctx.Done():
				return
			}
		} else {
			slog.Error("a companion cannot be started", "binary", c.name, "error", err.Error())
		}
		if time.Since(at) > healthy {
			pause = firstPause
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, maxPause)
	}
}

// adoptOrStart returns a channel that is closed when the process has ended.
func (c *Child) adoptOrStart() (<-chan struct{}, error) {
	if pid, alive, err := instance.Holder(c.inst.PIDFile(c.name)); err == nil && alive {
		if ended, err := watchProcess(pid); err == nil {
			slog.Info("adopted a living companion", "binary", c.name, stages.AttrPID, pid)
			return ended, nil
		}
	}
	log, err := os.OpenFile(c.inst.LogFile(c.name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.Binary, c.Args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	// A session of its own (setsid(2)): neither the terminal's signals nor those to hulld's process group reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Binary, err)
	}
	slog.Info("started a companion", "binary", c.name, stages.AttrPID, cmd.Process.Pid)
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	return ended, nil
}

// watchProcess tells when a process that is not our child ends: a pidfd becomes readable then (pidfd_open(2)).
func watchProcess(pid int) (<-chan struct{}, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	raw, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer f.Close()
		raw.Read(func(fd uintptr) bool {
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(p, 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
	}()
	return ended, nil
}
