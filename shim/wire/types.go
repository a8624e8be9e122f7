package wire

// An Any is a message of a kind that only its readers know: google.protobuf.Any. containerd also puts JSON into it (typeurl): a process,
// resources.
type Any struct {
	TypeUrl string // for a protobuf message its full name, without "type.googleapis.com/"
	Value   []byte
}

// GetValue is the content; nothing for no Any.
func (m *Any) GetValue() []byte {
	if m == nil {
		return nil
	}
	return m.Value
}

func (m *Any) fields(c *codec) {
	c.string(1, &m.TypeUrl)
	c.bytes(2, &m.Value)
}

// Empty is google.protobuf.Empty.
type Empty struct{}

func (m *Empty) fields(*codec) {}

// A Mount is one mount of the root file system: containerd.types.Mount.
type Mount struct {
	Type    string
	Source  string
	Target  string // below the root file system; "" is the root itself
	Options []string
}

func (m *Mount) fields(c *codec) {
	c.string(1, &m.Type)
	c.string(2, &m.Source)
	c.string(3, &m.Target)
	c.strings(4, &m.Options)
}

// A Status is a process's state: containerd.v1.types.Status.
type Status int32

const (
	StatusUnknown Status = iota
	StatusCreated
	StatusRunning
	StatusStopped
	StatusPaused
	StatusPausing
)

// A ProcessInfo is one process of a container: containerd.v1.types.ProcessInfo. Info of an executed one is a ProcessDetails.
type ProcessInfo struct {
	Pid  uint32
	Info *Any
}

func (m *ProcessInfo) fields(c *codec) {
	c.uint32(1, &m.Pid)
	one(c, 2, &m.Info)
}

// A Typed message has a name by which the readers of an Any know it.
type Typed interface {
	Message
	TypeName() string // the protobuf message's full name
}

// Pack puts a message into an Any.
func Pack(m Typed) *Any { return &Any{TypeUrl: m.TypeName(), Value: Marshal(m)} }
