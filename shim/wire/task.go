package wire

import "time"

// The messages of containerd.task.v2.Task; those of containerd.task.v3.Task are the same. Pause, Resume, Checkpoint, Kill, Exec,
// ResizePty, CloseIO, Update and Shutdown answer [Empty]. An ExecID of "" is the container's first process.

type CreateTaskRequest struct {
	ID               string
	Bundle           string
	Rootfs           []*Mount
	Terminal         bool
	Stdin            string
	Stdout           string
	Stderr           string
	Checkpoint       string
	ParentCheckpoint string
	Options          *Any // the runtime's: RuncOptions
}

func (m *CreateTaskRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.Bundle)
	many(c, 3, &m.Rootfs)
	c.bool(4, &m.Terminal)
	c.string(5, &m.Stdin)
	c.string(6, &m.Stdout)
	c.string(7, &m.Stderr)
	c.string(8, &m.Checkpoint)
	c.string(9, &m.ParentCheckpoint)
	one(c, 10, &m.Options)
}

type CreateTaskResponse struct{ Pid uint32 }

func (m *CreateTaskResponse) fields(c *codec) { c.uint32(1, &m.Pid) }

type StartRequest struct{ ID, ExecID string }

func (m *StartRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.ExecID)
}

type StartResponse struct{ Pid uint32 }

func (m *StartResponse) fields(c *codec) { c.uint32(1, &m.Pid) }

type StateRequest struct{ ID, ExecID string }

func (m *StateRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.ExecID)
}

type StateResponse struct {
	ID         string
	Bundle     string
	Pid        uint32
	Status     Status
	Stdin      string
	Stdout     string
	Stderr     string
	Terminal   bool
	ExitStatus uint32
	ExitedAt   time.Time
	ExecID     string
}

func (m *StateResponse) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.Bundle)
	c.uint32(3, &m.Pid)
	c.int32(4, (*int32)(&m.Status))
	c.string(5, &m.Stdin)
	c.string(6, &m.Stdout)
	c.string(7, &m.Stderr)
	c.bool(8, &m.Terminal)
	c.uint32(9, &m.ExitStatus)
	c.time(10, &m.ExitedAt)
	c.string(11, &m.ExecID)
}

type DeleteRequest struct{ ID, ExecID string }

func (m *DeleteRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.ExecID)
}

// DeleteResponse is also what the delete verb prints.
type DeleteResponse struct {
	Pid        uint32
	ExitStatus uint32
	ExitedAt   time.Time
}

func (m *DeleteResponse) fields(c *codec) {
	c.uint32(1, &m.Pid)
	c.uint32(2, &m.ExitStatus)
	c.time(3, &m.ExitedAt)
}

type ExecProcessRequest struct {
	ID       string
	ExecID   string
	Terminal bool
	Stdin    string
	Stdout   string
	Stderr   string
	Spec     *Any // the runtime-spec's Process as JSON
}

func (m *ExecProcessRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.ExecID)
	c.bool(3, &m.Terminal)
	c.string(4, &m.Stdin)
	c.string(5, &m.Stdout)
	c.string(6, &m.Stderr)
	one(c, 7, &m.Spec)
}

type ResizePtyRequest struct {
	ID            string
	ExecID        string
	Width, Height uint32
}

func (m *ResizePtyRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.ExecID)
	c.uint32(3, &m.Width)
	c.uint32(4, &m.Height)
}

type CloseIORequest struct {
	ID     string
	ExecID string
	Stdin  bool
}

func (m *CloseIORequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.ExecID)
	c.bool(3, &m.Stdin)
}

type KillRequest struct {
	ID     string
	ExecID string
	Signal uint32
	All    bool
}

func (m *KillRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.ExecID)
	c.uint32(3, &m.Signal)
	c.bool(4, &m.All)
}

type PidsRequest struct{ ID string }

func (m *PidsRequest) fields(c *codec) { c.string(1, &m.ID) }

type PidsResponse struct{ Processes []*ProcessInfo }

func (m *PidsResponse) fields(c *codec) { many(c, 1, &m.Processes) }

type PauseRequest struct{ ID string }

func (m *PauseRequest) fields(c *codec) { c.string(1, &m.ID) }

type ResumeRequest struct{ ID string }

func (m *ResumeRequest) fields(c *codec) { c.string(1, &m.ID) }

type CheckpointTaskRequest struct {
	ID      string
	Path    string
	Options *Any
}

func (m *CheckpointTaskRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.Path)
	one(c, 3, &m.Options)
}

type UpdateTaskRequest struct {
	ID          string
	Resources   *Any // the runtime-spec's LinuxResources as JSON
	Annotations map[string]string
}

func (m *UpdateTaskRequest) fields(c *codec) {
	c.string(1, &m.ID)
	one(c, 2, &m.Resources)
	c.pairs(3, &m.Annotations)
}

type WaitRequest struct{ ID, ExecID string }

func (m *WaitRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.string(2, &m.ExecID)
}

type WaitResponse struct {
	ExitStatus uint32
	ExitedAt   time.Time
}

func (m *WaitResponse) fields(c *codec) {
	c.uint32(1, &m.ExitStatus)
	c.time(2, &m.ExitedAt)
}

type StatsRequest struct{ ID string }

func (m *StatsRequest) fields(c *codec) { c.string(1, &m.ID) }

type StatsResponse struct{ Stats *Any }

func (m *StatsResponse) fields(c *codec) { one(c, 1, &m.Stats) }

type ConnectRequest struct{ ID string }

func (m *ConnectRequest) fields(c *codec) { c.string(1, &m.ID) }

type ConnectResponse struct {
	ShimPid uint32
	TaskPid uint32
	Version string
}

func (m *ConnectResponse) fields(c *codec) {
	c.uint32(1, &m.ShimPid)
	c.uint32(2, &m.TaskPid)
	c.string(3, &m.Version)
}

type ShutdownRequest struct {
	ID  string
	Now bool
}

func (m *ShutdownRequest) fields(c *codec) {
	c.string(1, &m.ID)
	c.bool(2, &m.Now)
}
