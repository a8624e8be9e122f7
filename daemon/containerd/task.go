package containerd

import (
	"context"
	"time"

	"hull/stages"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/api/types/task"
)

// A Task says how a container's process is to be made: its root filesystem and where its three streams go.
type Task struct {
	ID       string
	Rootfs   []*types.Mount
	Stdin    string // a FIFO, or ""
	Stdout   string // an URI; see docs/seams.md, section 2
	Stderr   string
	Terminal bool
}

// An Exit is how a task's first process ended, or one that was added to it.
type Exit struct {
	ID        string
	Exec      string // of an added process; "" is the first one
	PID       uint32
	Status    uint32 // the exit code, or 128 + the signal
	At        time.Time
	OOMKilled bool
}

// CreateTask has the container's first process made: it exists afterwards, in its namespaces, and waits. The pid is the host's.
func (c *Client) CreateTask(ctx context.Context, t Task) (pid uint32, err error) {
	r, err := c.tasks.Create(ctx, &tasks.CreateTaskRequest{
		ContainerID: t.ID, Rootfs: t.Rootfs, Stdin: t.Stdin, Stdout: t.Stdout, Stderr: t.Stderr, Terminal: t.Terminal,
	})
	if err != nil {
		return 0, c.wrap(stages.ContainerdTaskCreate, "", err)
	}
	return r.Pid, nil
}

// StartTask lets the user's program run.
func (c *Client) StartTask(ctx context.Context, id string) (pid uint32, err error) {
	r, err := c.tasks.Start(ctx, &tasks.StartRequest{ContainerID: id})
	if err != nil {
		return 0, c.wrap(stages.ContainerdTaskStart, "", err)
	}
	return r.Pid, nil
}

// DeleteTask clears up behind a task that has ended, and is the authority on how it ended. It returns after the task's output has been
// written where it goes. A missing task is an error of kind NotFound.
func (c *Client) DeleteTask(ctx context.Context, id string) (Exit, error) {
	r, err := c.tasks.Delete(ctx, &tasks.DeleteTaskRequest{ContainerID: id})
	if err != nil {
		return Exit{}, c.wrap(stages.None, id, err)
	}
	return Exit{ID: id, PID: r.Pid, Status: r.ExitStatus, At: r.ExitedAt.AsTime()}, nil
}

// TaskPaused is whether the task's processes are frozen.
func (c *Client) TaskPaused(ctx context.Context, id string) (bool, error) {
	r, err := c.tasks.Get(ctx, &tasks.GetRequest{ContainerID: id})
	if err != nil {
		return false, c.wrap(stages.None, id, err)
	}
	return r.Process.Status == task.Status_PAUSED, nil
}

// TaskState is whether the task's first process still exists, and its pid. A missing task is an error of kind NotFound.
func (c *Client) TaskState(ctx context.Context, id string) (alive, started bool, pid uint32, err error) {
	r, err := c.tasks.Get(ctx, &tasks.GetRequest{ContainerID: id})
	if err != nil {
		return false, false, 0, c.wrap(stages.None, id, err)
	}
	s := r.Process.Status
	return s != task.Status_STOPPED, s != task.Status_CREATED, r.Process.Pid, nil
}

// KillTask sends a signal to the container's first process.
func (c *Client) KillTask(ctx context.Context, id string, signal uint32) error {
	_, err := c.tasks.Kill(ctx, &tasks.KillRequest{ContainerID: id, Signal: signal})
	return c.wrap(stages.None, id, err)
}

// CloseStdin makes the container's standard input end: nothing else does, because the shim holds it open.
func (c *Client) CloseStdin(ctx context.Context, id string) error {
	_, err := c.tasks.CloseIO(ctx, &tasks.CloseIORequest{ContainerID: id, Stdin: true})
	return c.wrap(stages.None, id, err)
}

// ResizeTerminal sets the terminal's size in characters.
func (c *Client) ResizeTerminal(ctx context.Context, id string, width, height uint32) error {
	_, err := c.tasks.ResizePty(ctx, &tasks.ResizePtyRequest{ContainerID: id, Width: width, Height: height})
	return c.wrap(stages.None, id, err)
}
