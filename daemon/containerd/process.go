package containerd

import (
	"context"
	"encoding/json"

	"hull/stages"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"
)

// processURL names the type of a process's document to containerd, as specURL does a spec's.
const processURL = "types.containerd.io/opencontainers/runtime-spec/1/Process"

// A Process is one that is to be added to a running task. Its streams are FIFOs, or "".
type Process struct {
	Container, ID         string
	Spec                  *specs.Process
	Stdin, Stdout, Stderr string
}

// AddProcess tells containerd of the process; StartProcess then has it run.
func (c *Client) AddProcess(ctx context.Context, p Process) error {
	spec, err := json.Marshal(p.Spec)
	if err != nil {
		return err
	}
	_, err = c.tasks.Exec(ctx, &tasks.ExecProcessRequest{
		ContainerID: p.Container, ExecID: p.ID, Terminal: p.Spec.Terminal, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr,
		Spec: &anypb.Any{TypeUrl: processURL, Value: spec},
	})
	return c.wrap(stages.ContainerdExecCreate, "", err)
}

// StartProcess runs it. The pid is the host's.
func (c *Client) StartProcess(ctx context.Context, container, id string) (pid uint32, err error) {
	r, err := c.tasks.Start(ctx, &tasks.StartRequest{ContainerID: container, ExecID: id})
	if err != nil {
		return 0, c.wrap(stages.ContainerdTaskStart, "", err)
	}
	return r.Pid, nil
}

// DeleteProcess makes containerd forget a process that has ended, or never run, and says how it ended.
func (c *Client) DeleteProcess(ctx context.Context, container, id string) (Exit, error) {
	r, err := c.tasks.DeleteProcess(ctx, &tasks.DeleteProcessRequest{ContainerID: container, ExecID: id})
	if err != nil {
		return Exit{}, c.wrap(stages.None, id, err)
	}
	return Exit{ID: container, Exec: id, PID: r.Pid, Status: r.ExitStatus, At: r.ExitedAt.AsTime()}, nil
}

// ProcessState is whether an added process still runs, and with which status it has ended. A missing one is an error of kind NotFound.
func (c *Client) ProcessState(ctx context.Context, container, id string) (alive bool, x Exit, err error) {
	r, err := c.tasks.Get(ctx, &tasks.GetRequest{ContainerID: container, ExecID: id})
	if err != nil {
		return false, Exit{}, c.wrap(stages.None, id, err)
	}
	p := r.Process
	return p.Status != task.Status_STOPPED, Exit{ID: container, Exec: id, PID: p.Pid, Status: p.ExitStatus, At: p.ExitedAt.AsTime()}, nil
}

// CloseProcessStdin is CloseStdin for an added process.
func (c *Client) CloseProcessStdin(ctx context.Context, container, id string) error {
	_, err := c.tasks.CloseIO(ctx, &tasks.CloseIORequest{ContainerID: container, ExecID: id, Stdin: true})
	return c.wrap(stages.None, id, err)
}

// ResizeProcess is ResizeTerminal for an added process.
func (c *Client) ResizeProcess(ctx context.Context, container, id string, width, height uint32) error {
	_, err := c.tasks.ResizePty(ctx, &tasks.ResizePtyRequest{ContainerID: container, ExecID: id, Width: width, Height: height})
	return c.wrap(stages.None, id, err)
}

// PIDs are the container's processes, by the host's numbers.
func (c *Client) PIDs(ctx context.Context, container string) (pids []int, err error) {
	r, err := c.tasks.ListPids(ctx, &tasks.ListPidsRequest{ContainerID: container})
	if err != nil {
		return nil, c.wrap(stages.None, container, err)
	}
	for _, p := range r.Processes {
		pids = append(pids, int(p.Pid))
	}
	return pids, nil
}

// PauseTask freezes all of the container's processes.
func (c *Client) PauseTask(ctx context.Context, id string) error {
	_, err := c.tasks.Pause(ctx, &tasks.PauseTaskRequest{ContainerID: id})
	return c.wrap(stages.None, id, err)
}

// ResumeTask lets them go on.
func (c *Client) ResumeTask(ctx context.Context, id string) error {
	_, err := c.tasks.Resume(ctx, &tasks.ResumeTaskRequest{ContainerID: id})
	return c.wrap(stages.None, id, err)
}

// resourcesURL names the type of a document of limits.
const resourcesURL = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"

// UpdateTask changes the limits that the document names.
func (c *Client) UpdateTask(ctx context.Context, id string, r *specs.LinuxResources) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = c.tasks.Update(ctx, &tasks.UpdateTaskRequest{ContainerID: id, Resources: &anypb.Any{TypeUrl: resourcesURL, Value: text}})
	return c.wrap(stages.None, id, err)
}
