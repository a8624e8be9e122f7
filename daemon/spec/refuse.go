package spec

import (
	"fmt"
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
		"WorkingDir", "Entrypoint", "Labels", "StopSignal", "StopTimeout", "ExposedPorts",
	}
	offeredHost = []string{
		"Binds", "ContainerIDFile", "LogConfig", "NetworkMode", "RestartPolicy", "AutoRemove", "ConsoleSize", "ShmSize",
		"CgroupnsMode", "IpcMode", "UsernsMode", "Isolation", "MaskedPaths", "ReadonlyPaths", // one value only: checkModes
		"PortBindings", "PublishAllPorts", "DNS", "DNSSearch", "DNSOptions",
		"Memory", "MemorySwap", "MemorySwappiness", "NanoCPUs", "CPUPeriod", "CPUQuota", "PidsLimit",
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
	if c.StopSignal != "" {
		if _, err := Signal(c.StopSignal); err != nil {
			return err
		}
	}
	if len(c.Hostname) > 63 || strings.ContainsAny(c.Hostname, "/ \t\n\x00") {
		return invalid("invalid hostname format: %s", c.Hostname)
	}
	return nil
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

// checkModes refuses every value but the one that hull does anyway.
func checkModes(h *container.HostConfig) error {
	asked := []struct {
		field, value string
		ok           bool
	}{
		{"LogConfig.Type", h.LogConfig.Type, h.LogConfig.Type == "" || h.LogConfig.Type == "json-file"},
		{"LogConfig.Config", fmt.Sprint(h.LogConfig.Config), len(h.LogConfig.Config) == 0},
		{"RestartPolicy", string(h.RestartPolicy.Name), h.RestartPolicy.IsNone() && h.RestartPolicy.MaximumRetryCount == 0},
		{"CgroupnsMode", string(h.CgroupnsMode), h.CgroupnsMode.IsEmpty() || h.CgroupnsMode.IsPrivate()},
		{"IpcMode", string(h.IpcMode), h.IpcMode.IsEmpty() || h.IpcMode.IsPrivate()},
		{"UsernsMode", string(h.UsernsMode), h.UsernsMode == "" || h.UsernsMode.IsHost()},
		{"Isolation", string(h.Isolation), h.Isolation.IsDefault()},
		{"MemorySwappiness", "", h.MemorySwappiness == nil || *h.MemorySwappiness == -1},
		{"MaskedPaths", "", h.MaskedPaths == nil},
		{"ReadonlyPaths", "", h.ReadonlyPaths == nil},
	}
	for _, a := range asked {
		if !a.ok {
			return unsupported(strings.TrimSpace("HostConfig."+a.field+" "+a.value), "leave it out")
		}
	}
	if h.ShmSize < 0 {
		return invalid("SHM size can not be less than 0")
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

func unsupported(field, hint string) error {
	return &stages.Error{Kind: stages.Unsupported, Err: fmt.Errorf("%s is not offered by hull yet", field), Hint: hint}
}
