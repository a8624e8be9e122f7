package wire

// RuncOptions are the caller's wishes about the runtime: containerd.runc.v1.Options, which dockerd and ctr send too.
type RuncOptions struct {
	NoPivotRoot    bool
	NoNewKeyring   bool
	ShimCgroup     string
	IoUid, IoGid   uint32
	BinaryName     string
	Root           string
	SystemdCgroup  bool
	CriuImagePath  string
	CriuWorkPath   string
	TaskApiAddress string
	TaskApiVersion uint32
}

func (*RuncOptions) TypeName() string { return "containerd.runc.v1.Options" }

func (m *RuncOptions) fields(c *codec) {
	c.bool(1, &m.NoPivotRoot)
	c.bool(2, &m.NoNewKeyring)
	c.string(3, &m.ShimCgroup)
	c.uint32(4, &m.IoUid)
	c.uint32(5, &m.IoGid)
	c.string(6, &m.BinaryName)
	c.string(7, &m.Root)
	c.bool(9, &m.SystemdCgroup)
	c.string(10, &m.CriuImagePath)
	c.string(11, &m.CriuWorkPath)
	c.string(12, &m.TaskApiAddress)
	c.uint32(13, &m.TaskApiVersion)
}

// ProcessDetails tell the readers of Pids which process is which exec: containerd.runc.v1.ProcessDetails.
type ProcessDetails struct{ ExecID string }

func (*ProcessDetails) TypeName() string { return "containerd.runc.v1.ProcessDetails" }

func (m *ProcessDetails) fields(c *codec) { c.string(1, &m.ExecID) }
