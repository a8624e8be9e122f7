package engine

// Bodies of the Engine API, as far as this client reads or writes them. Field names are the API's (Docker Engine API v1.44; the file
// api/swagger.yaml of github.com/moby/moby/api is the specification), so they need no tags except where zero must be left out.

// A CreateRequest is the body of POST /containers/create: definition ContainerConfig, with HostConfig beside it.
type CreateRequest struct {
	Hostname     string `json:",omitempty"`
	Domainname   string `json:",omitempty"`
	User         string `json:",omitempty"`
	AttachStdin  bool
	AttachStdout bool
	AttachStderr bool
	Tty          bool
	OpenStdin    bool // the container has a standard input at all
	StdinOnce    bool // it ends when the first client's does
	Env          []string
	Cmd          []string
	Image        string
	WorkingDir   string `json:",omitempty"`
	Entrypoint   []string
	Labels       map[string]string
	Volumes      map[string]struct{} `json:",omitempty"` // directories of the container that are no part of its root file system
	StopSignal   string              `json:",omitempty"`
	StopTimeout  *int                `json:",omitempty"` // seconds
	Healthcheck  *Healthcheck        `json:",omitempty"`
	HostConfig   HostConfig

	ExposedPorts     map[string]struct{} `json:",omitempty"` // "80/tcp"
	MacAddress       string              `json:",omitempty"`
	NetworkingConfig *NetworkingConfig   `json:",omitempty"`
}

// A Healthcheck overrides the image's: definition HealthConfig. ["NONE"] is none.
type Healthcheck struct{ Test []string }

// A HostConfig is the part of the request that is about this machine and not about the image: definition HostConfig.
type HostConfig struct {
	Binds       []string // SOURCE:TARGET[:MODE]
	NetworkMode string
	AutoRemove  bool
	ConsoleSize [2]uint // rows, columns: the terminal has its size before the program starts
	Memory      int64   `json:",omitempty"` // bytes
	NanoCpus    int64   `json:",omitempty"` // 1e9 is one CPU
	PidsLimit   *int64  `json:",omitempty"`

	Resources
	Isolation
	Mounts         []Mount           `json:",omitempty"`
	Tmpfs          map[string]string `json:",omitempty"` // directory → options of its tmpfs
	ReadonlyRootfs bool              `json:",omitempty"`
	ShmSize        int64             `json:",omitempty"` // bytes of /dev/shm
	GroupAdd       []string          `json:",omitempty"`
	Init           *bool             `json:",omitempty"`
	Annotations    map[string]string `json:",omitempty"`
	Runtime        string            `json:",omitempty"`
	ExtraHosts     []string          `json:",omitempty"` // NAME:ADDRESS lines of /etc/hosts
	DNS            []string          `json:"Dns,omitempty"`
	DNSOptions     []string          `json:"DnsOptions,omitempty"`
	DNSSearch      []string          `json:"DnsSearch,omitempty"`

	ContainerIDFile string `json:",omitempty"`

	PortBindings    map[string][]PortBinding `json:",omitempty"` // "80/tcp"
	PublishAllPorts bool                     `json:",omitempty"`
}

// Created is the answer to it.
type Created struct {
	ID       string `json:"Id"`
	Warnings []string
}

// A Container is one row of GET /containers/json: definition ContainerSummary.
type Container struct {
	ID      string `json:"Id"`
	Names   []string
	Image   string
	Command string
	Created int64 // Unix time in seconds
	State   string
	Status  string // for people: "Up 2 seconds", "Exited (0) 3 minutes ago"
	Ports   []Port
}

// A Port of a Container: definition Port.
type Port struct {
	IP          string
	PrivatePort uint16
	PublicPort  uint16
	Type        string
}

// Details are the fields that the client itself needs of GET /containers/{id}/json.
type Details struct {
	ID     string `json:"Id"`
	Config struct{ Tty bool }
	State  struct {
		Status  string
		Running bool
	}
	NetworkSettings struct {
		Ports map[string][]PortBinding // "80/tcp"
	}
}

// An Image is one row of GET /images/json: definition ImageSummary.
type Image struct {
	ID          string `json:"Id"`
	RepoTags    []string
	RepoDigests []string
	Created     int64 // Unix time in seconds
	Size        int64 // bytes
}

// A Deleted is one line of the answer to DELETE /images/{name}: definition ImageDeleteResponseItem.
type Deleted struct{ Untagged, Deleted string }

// A Version is the answer to GET /version: definition SystemVersion.
type Version struct {
	Version       string
	APIVersion    string `json:"ApiVersion"`
	MinAPIVersion string
	GoVersion     string
	GitCommit     string
	BuildTime     string
	Os            string
	Arch          string
	KernelVersion string
	Components    []struct {
		Name, Version string
		Details       map[string]string
	}
}
