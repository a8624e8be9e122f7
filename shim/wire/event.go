package wire

import "time"

// What containerd is told about a task (containerd.events), and the call that tells it
// (containerd.services.events.ttrpc.v1.Events/Forward).

// An Envelope is one event on its way.
type Envelope struct {
	Timestamp time.Time
	Namespace string
	Topic     string // "/tasks/exit"
	Event     *Any
}

func (m *Envelope) fields(c *codec) {
	c.time(1, &m.Timestamp)
	c.string(2, &m.Namespace)
	c.string(3, &m.Topic)
	one(c, 4, &m.Event)
}

type ForwardRequest struct{ Envelope *Envelope }

func (m *ForwardRequest) fields(c *codec) { one(c, 1, &m.Envelope) }

type TaskCreate struct {
	ContainerID string
	Bundle      string
	Rootfs      []*Mount
	IO          *TaskIO
	Checkpoint  string
	Pid         uint32
}

func (*TaskCreate) TypeName() string { return "containerd.events.TaskCreate" }

func (m *TaskCreate) fields(c *codec) {
	c.string(1, &m.ContainerID)
	c.string(2, &m.Bundle)
	many(c, 3, &m.Rootfs)
	one(c, 4, &m.IO)
	c.string(5, &m.Checkpoint)
	c.uint32(6, &m.Pid)
}

type TaskIO struct {
	Stdin    string
	Stdout   string
	Stderr   string
	Terminal bool
}

func (m *TaskIO) fields(c *codec) {
	c.string(1, &m.Stdin)
	c.string(2, &m.Stdout)
	c.string(3, &m.Stderr)
	c.bool(4, &m.Terminal)
}

type TaskStart struct {
	ContainerID string
	Pid         uint32
}

func (*TaskStart) TypeName() string { return "containerd.events.TaskStart" }

func (m *TaskStart) fields(c *codec) {
	c.string(1, &m.ContainerID)
	c.uint32(2, &m.Pid)
}

// TaskExit is the end of a process: ID is its exec id, or the container's id for the first one.
type TaskExit struct {
	ContainerID string
	ID          string
	Pid         uint32
	ExitStatus  uint32
	ExitedAt    time.Time
}

func (*TaskExit) TypeName() string { return "containerd.events.TaskExit" }

func (m *TaskExit) fields(c *codec) {
	c.string(1, &m.ContainerID)
	c.string(2, &m.ID)
	c.uint32(3, &m.Pid)
	c.uint32(4, &m.ExitStatus)
	c.time(5, &m.ExitedAt)
}

type TaskDelete struct {
	ContainerID string
	Pid         uint32
	ExitStatus  uint32
	ExitedAt    time.Time
	ID          string
}

func (*TaskDelete) TypeName() string { return "containerd.events.TaskDelete" }

func (m *TaskDelete) fields(c *codec) {
	c.string(1, &m.ContainerID)
	c.uint32(2, &m.Pid)
	c.uint32(3, &m.ExitStatus)
	c.time(4, &m.ExitedAt)
	c.string(5, &m.ID)
}

// TaskOOM says that the kernel has killed a process of the container for want of memory.
type TaskOOM struct{ ContainerID string }

func (*TaskOOM) TypeName() string { return "containerd.events.TaskOOM" }

func (m *TaskOOM) fields(c *codec) { c.string(1, &m.ContainerID) }

type TaskExecAdded struct{ ContainerID, ExecID string }

func (*TaskExecAdded) TypeName() string { return "containerd.events.TaskExecAdded" }

func (m *TaskExecAdded) fields(c *codec) {
	c.string(1, &m.ContainerID)
	c.string(2, &m.ExecID)
}

type TaskExecStarted struct {
	ContainerID string
	ExecID      string
	Pid         uint32
}

func (*TaskExecStarted) TypeName() string { return "containerd.events.TaskExecStarted" }

func (m *TaskExecStarted) fields(c *codec) {
	c.string(1, &m.ContainerID)
	c.string(2, &m.ExecID)
	c.uint32(3, &m.Pid)
}

type TaskPaused struct{ ContainerID string }

func (*TaskPaused) TypeName() string { return "containerd.events.TaskPaused" }

func (m *TaskPaused) fields(c *codec) { c.string(1, &m.ContainerID) }

type TaskResumed struct{ ContainerID string }

func (*TaskResumed) TypeName() string { return "containerd.events.TaskResumed" }

func (m *TaskResumed) fields(c *codec) { c.string(1, &m.ContainerID) }
