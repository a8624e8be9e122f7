package spec

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/sys/signal"
)

// offered are the fields that are honoured. Any other field of the two structures, of today's or a later version of them, is refused
// unless it is empty: a flag is never ignored.
var (
	offeredConfig = []string{
		"Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce", "Env", "Cmd", "Image",
		"WorkingDir", "Entrypoint", "Labels", "StopSignal", "StopTimeout", "Volumes", "Healthcheck", "ExposedPorts",
	}
	offeredHost = []string{
		"Binds", "ContainerIDFile", "LogConfig", "NetworkMode", "RestartPolicy", "AutoRemove", "ConsoleSize", "ShmSize", "Isolation",
		"PortBindings", "PublishAllPorts", "DNS", "DNSSearch", "DNSOptions", "ExtraHosts",
		"Memory", "MemorySwap", "MemorySwappiness", "MemoryReservation", "OomKillDisable", "OomScoreAdj", "NanoCPUs", "CPUShares", "CPUPeriod",
		"CPUQuota", "CpusetCpus", "CpusetMems", "PidsLimit", "BlkioWeight", "BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps",
		"BlkioDeviceReadIOps", "BlkioDeviceWriteIOps", "Ulimits", "CgroupParent", "Devices", "DeviceCgroupRules",
		"Mounts", "Tmpfs", "ReadonlyRootfs", "GroupAdd", "Init", "Annotations", "Runtime",
		"Privileged", "CapAdd", "CapDrop", "SecurityOpt", "Sysctls", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode",
		"MaskedPaths", "ReadonlyPaths",
	}
)

// Check refuses what is not offered, and values that can never be right. The error names the field.
func Check(c *container.Config, h *container.HostConfig, n *network.NetworkingConfig) error {
	if err := emptyBut(reflect.ValueOf(*c), "", offeredConfig); err != nil {
		return err
	}
	if err := emptyBut(reflect.ValueOf(*h), "HostConfig.", offeredHost); err != nil {
		return err
	}
	if err := checkNetwork(c, h, n); err != nil {
		return err
	}
	if err := checkModes(h); err != nil {
		return err
	}
	if err := checkNames(c, h); err != nil {
		return err
	}
	return checkFields(c, h)
}

// emptyBut walks the structure's fields, embedded ones as its own.
func emptyBut(v reflect.Value, prefix string, offered []string) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			if err := emptyBut(v.Field(i), prefix, offered); err != nil {
				return err
			}
			continue
		}
		if slices.Contains(offered, f.Name) || empty(v.Field(i)) {
			continue
		}
		return unsupported(prefix+f.Name, "leave it out")
	}
	return nil
}

// empty is the zero value at any depth: an empty list, a pointer to false, a structure of such.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || empty(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if !empty(v.Field(i)) {
				return false
			}
		}
		return true
	default:
		return v.IsZero()
	}
}

// checkModes refuses every value but the one that hull does anyway, and modes that docker does not know.
func checkModes(h *container.HostConfig) error {
	asked := []struct {
		field, value string
		ok           bool
	}{
		{"LogConfig.Type", h.LogConfig.Type, h.LogConfig.Type == "" || h.LogConfig.Type == "json-file"},
		{"LogConfig.Config", fmt.Sprint(h.LogConfig.Config), len(h.LogConfig.Config) == 0},
		{"RestartPolicy", string(h.RestartPolicy.Name), h.RestartPolicy.IsNone() && h.RestartPolicy.MaximumRetryCount == 0},
		{"Isolation", string(h.Isolation), h.Isolation.IsDefault()},
	}
	for _, a := range asked {
		if !a.ok {
			return unsupported(strings.TrimSpace("HostConfig."+a.field+" "+a.value), "leave it out")
		}
	}
	for _, m := range []struct {
		ok           bool
		words, value string
	}{
		{h.PidMode.Valid(), "invalid PID mode", string(h.PidMode)},
		{h.IpcMode.Valid() && h.IpcMode != joinPrefix, "invalid IPC mode", string(h.IpcMode)},
		{h.UTSMode.Valid(), "invalid UTS mode", string(h.UTSMode)},
		{h.UsernsMode.Valid(), "invalid user namespace mode", string(h.UsernsMode)},
		{h.CgroupnsMode.Valid(), "invalid cgroup namespace mode", string(h.CgroupnsMode)},
	} {
		if !m.ok {
			return invalid("%s: %s", m.words, m.value)
		}
	}
	if h.ShmSize < 0 {
		return invalid("SHM size can not be less than 0")
	}
	return nil
}

// checkNames refuses names that would be somebody else's: a container that shares the host's or another's namespace has that one's.
func checkNames(c *container.Config, h *container.HostConfig) error {
	switch {
	case h.UTSMode.IsHost() && c.Hostname != "":
		return invalid("conflicting options: hostname and the UTS mode")
	case h.UTSMode.IsHost() && c.Domainname != "":
		return invalid("conflicting options: domainname and the UTS mode")
	case len(c.Hostname) > 63 || strings.ContainsAny(c.Hostname, "/ \t\n\x00"):
		return invalid("invalid hostname format: %s", c.Hostname)
	case len(c.Domainname) > 64 || strings.ContainsAny(c.Domainname, "/ \t\n\x00"):
		return invalid("invalid domainname format: %s", c.Domainname)
	}
	for _, e := range h.ExtraHosts {
		name, address, _ := strings.Cut(e, ":")
		if address == "host-gateway" {
			return unsupported("ExtraHosts "+e, "give the address")
		}
		if a, err := netip.ParseAddr(address); err != nil || a.Zone() != "" || name == "" || strings.ContainsAny(name, " \t\n\x00") {
			return invalid("bad format for add-host: %q", e)
		}
	}
	for _, s := range append(append([]string{}, h.DNSSearch...), h.DNSOptions...) {
		if strings.ContainsAny(s, " \t\n\x00") {
			return invalid("invalid line for resolv.conf: %q", s)
		}
	}
	return nil
}

// checkFields refuses what is wrong whatever the image is.
func checkFields(c *container.Config, h *container.HostConfig) error {
	if c.StopSignal != "" {
		if _, err := Signal(c.StopSignal); err != nil {
			return err
		}
	}
	if k := c.Healthcheck; k != nil && (!slices.Equal(k.Test, []string{"NONE"}) || k.Interval != 0 || k.Timeout != 0 || k.Retries != 0 || k.StartPeriod != 0) {
		return unsupported("Healthcheck", "leave it out")
	}
	for name, value := range h.Annotations {
		if name == "" {
			return invalid("invalid Annotations: the empty string is not permitted as an annotation key")
		}
		if strings.ContainsRune(name+value, 0) {
			return invalid("invalid Annotations: %q", name)
		}
	}
	if h.CgroupParent != "" && strings.ContainsAny(h.CgroupParent, "\n\x00") {
		return invalid("invalid cgroup parent %q", h.CgroupParent)
	}
	return nil
}

// Signal reads a signal as docker's users write it: TERM, SIGTERM, 15, RTMIN+3.
func Signal(name string) (uint32, error) {
	sig, err := signal.ParseSignal(name)
	if err != nil || sig < 1 || sig > 64 {
		return 0, invalid("invalid signal: %s", name)
	}
	return uint32(sig), nil
}

func invalid(format string, args ...any) error {
	return &stages.Error{Kind: stages.Invalid, Err: fmt.Errorf(format, args...)}
}

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

func unwrapPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func unsupported(field, hint string) error {
	return &stages.Error{Kind: stages.Unsupported, Err: fmt.Errorf("%s is not offered by hull yet", field), Hint: hint}
}
