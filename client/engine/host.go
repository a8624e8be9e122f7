package engine

// Resources are a HostConfig's limits: definition Resources. Zero is "not asked for".
type Resources struct {
	MemorySwap           int64            `json:",omitempty"` // memory plus swap in bytes, -1 for no limit
	MemoryReservation    int64            `json:",omitempty"` // bytes
	MemorySwappiness     *int64           `json:",omitempty"` // 0 to 100
	OomKillDisable       bool             `json:",omitempty"`
	OomScoreAdj          int              `json:",omitempty"`
	CPUShares            int64            `json:"CpuShares,omitempty"`
	CPUPeriod            int64            `json:"CpuPeriod,omitempty"` // microseconds
	CPUQuota             int64            `json:"CpuQuota,omitempty"`  // microseconds
	CpusetCpus           string           `json:",omitempty"`
	CpusetMems           string           `json:",omitempty"`
	BlkioWeight          uint16           `json:",omitempty"`
	BlkioWeightDevice    []WeightDevice   `json:",omitempty"`
	BlkioDeviceReadBps   []ThrottleDevice `json:",omitempty"`
	BlkioDeviceWriteBps  []ThrottleDevice `json:",omitempty"`
	BlkioDeviceReadIOps  []ThrottleDevice `json:",omitempty"`
	BlkioDeviceWriteIOps []ThrottleDevice `json:",omitempty"`
	Ulimits              []Ulimit         `json:",omitempty"`
	CgroupParent         string           `json:",omitempty"`
}

// A WeightDevice is the weight of one block device: definition in Resources.
type WeightDevice struct {
	Path   string
	Weight uint16
}

// A ThrottleDevice is the limit of one block device, in bytes or operations per second: definition ThrottleDevice.
type ThrottleDevice struct {
	Path string
	Rate uint64
}

// A Ulimit is one resource limit of the container's processes: setrlimit(2). -1 is no limit.
type Ulimit struct {
	Name       string
	Hard, Soft int64
}

// Isolation is what separates the container from the host, or does not.
type Isolation struct {
	Privileged        bool `json:",omitempty"`
	CapAdd, CapDrop   []string
	SecurityOpt       []string          `json:",omitempty"`
	Sysctls           map[string]string `json:",omitempty"`
	Devices           []Device          `json:",omitempty"`
	DeviceCgroupRules []string          `json:",omitempty"`
	PidMode           string            `json:",omitempty"`
	IpcMode           string            `json:",omitempty"`
	UTSMode           string            `json:",omitempty"`
	UsernsMode        string            `json:",omitempty"`
	CgroupnsMode      string            `json:",omitempty"`
	MaskedPaths       *[]string         `json:",omitempty"` // an empty list: none at all
	ReadonlyPaths     *[]string         `json:",omitempty"`
}

// A Device is a device of the host that the container may use: definition DeviceMapping.
type Device struct {
	PathOnHost, PathInContainer string
	CgroupPermissions           string // of "rwm"
}

// A Mount is one --mount: definition Mount.
type Mount struct {
	Type         string
	Source       string        `json:",omitempty"`
	Target       string        `json:",omitempty"`
	ReadOnly     bool          `json:",omitempty"`
	Consistency  string        `json:",omitempty"`
	BindOptions  *BindOptions  `json:",omitempty"`
	TmpfsOptions *TmpfsOptions `json:",omitempty"`
}

// BindOptions are a bind mount's.
type BindOptions struct {
	Propagation            string `json:",omitempty"`
	NonRecursive           bool   `json:",omitempty"`
	CreateMountpoint       bool   `json:",omitempty"`
	ReadOnlyNonRecursive   bool   `json:",omitempty"`
	ReadOnlyForceRecursive bool   `json:",omitempty"`
}

// TmpfsOptions are a tmpfs's.
type TmpfsOptions struct {
	SizeBytes int64  `json:",omitempty"`
	Mode      uint32 `json:",omitempty"` // permission bits
}
