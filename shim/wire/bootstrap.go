package wire

// BootstrapParams is what containerd 2.3 and later write to the start verb's standard input:
// containerd.runtime.bootstrap.v1.BootstrapParams.
type BootstrapParams struct {
	InstanceID             string // the container's id
	Namespace              string
	LogLevel               int32 // 0 is info; more is graver, less is more talkative: -4 is debug
	ContainerdVersion      string
	ContainerdTtrpcAddress string
	ContainerdGrpcAddress  string
	ContainerdBinary       string
	Extensions             []*Extension
	SocketDir              string
}

// LevelDebug is BootstrapParams.LogLevel's LOG_LEVEL_DEBUG.
const LevelDebug = -4

func (m *BootstrapParams) fields(c *codec) {
	c.string(1, &m.InstanceID)
	c.string(2, &m.Namespace)
	c.int32(3, &m.LogLevel)
	c.string(4, &m.ContainerdVersion)
	c.string(5, &m.ContainerdTtrpcAddress)
	c.string(6, &m.ContainerdGrpcAddress)
	c.string(7, &m.ContainerdBinary)
	many(c, 8, &m.Extensions)
	c.string(9, &m.SocketDir)
}

// An Extension is one more message between containerd and its shims: the runtime's options, for one.
type Extension struct{ Value *Any }

func (m *Extension) fields(c *codec) { one(c, 1, &m.Value) }

// BootstrapResult answers BootstrapParams: where the shim listens.
type BootstrapResult struct {
	Version    int32 // of the Task service
	Address    string
	Protocol   string // "ttrpc"
	Metadata   map[string]string
	Extensions []*Extension
}

func (m *BootstrapResult) fields(c *codec) {
	c.int32(1, &m.Version)
	c.string(2, &m.Address)
	c.string(3, &m.Protocol)
	c.pairs(5, &m.Metadata)
	many(c, 6, &m.Extensions)
}

// RuntimeInfo is what -info prints: containerd.types.RuntimeInfo.
type RuntimeInfo struct {
	Name        string
	Version     *RuntimeVersion
	Options     *Any
	Features    *Any
	Annotations map[string]string
}

func (m *RuntimeInfo) fields(c *codec) {
	c.string(1, &m.Name)
	one(c, 2, &m.Version)
	one(c, 3, &m.Options)
	one(c, 4, &m.Features)
	c.pairs(5, &m.Annotations)
}

type RuntimeVersion struct{ Version, Revision string }

func (m *RuntimeVersion) fields(c *codec) {
	c.string(1, &m.Version)
	c.string(2, &m.Revision)
}
