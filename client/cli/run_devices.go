package cli

import (
	"fmt"
	"path"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// deviceOptions are run's flags about the host's devices.
type deviceOptions struct{ devices, rules []string }

func (o *deviceOptions) define(f *pflag.FlagSet) {
	f.Var(listValue{&o.devices, nil}, "device", "Add a host device to the container")
	f.Var(listValue{&o.rules, checkDeviceRule}, "device-cgroup-rule", "Add a rule to the cgroup allowed devices list")
}

// apply comes after isolationOptions, whose structure it completes.
func (o *deviceOptions) apply(body *engine.CreateRequest) error {
	body.HostConfig.DeviceCgroupRules = o.rules
	for _, s := range o.devices {
		d, err := readDevice(s)
		if err != nil {
			return err
		}
		body.HostConfig.Devices = append(body.HostConfig.Devices, d)
	}
	return nil
}

// readDevice reads PATH[:PATH-IN-CONTAINER][:PERMISSIONS].
func readDevice(s string) (d engine.Device, err error) {
	part := strings.Split(s, ":")
	if len(part) > 3 || part[0] == "" {
		return d, fmt.Errorf("bad format for path: %s", s)
	}
	if strings.Contains(s, "=") && !strings.HasPrefix(s, "/") {
		return d, fmt.Errorf("--device %s: devices by a CDI name are not offered yet", s)
	}
	d = engine.Device{PathOnHost: part[0], PathInContainer: part[0], CgroupPermissions: "rwm"}
	switch {
	case len(part) == 3 && !isDeviceMode(part[2]):
		return d, fmt.Errorf("bad mode specified: %s", part[2])
	case len(part) == 3:
		d.PathInContainer, d.CgroupPermissions = part[1], part[2]
	case len(part) == 2 && isDeviceMode(part[1]):
		d.CgroupPermissions = part[1]
	case len(part) == 2:
		d.PathInContainer = path.Clean(part[1])
	}
	if !path.IsAbs(d.PathInContainer) {
		return d, fmt.Errorf("%s is not an absolute path", d.PathInContainer)
	}
	return d, nil
}

// isDeviceMode tells a set of r (read), w (write) and m (make a node), each once.
func isDeviceMode(s string) bool {
	for i, c := range s {
		if !strings.ContainsRune("rwm", c) || strings.ContainsRune(s[:i], c) {
			return false
		}
	}
	return s != ""
}

// checkDeviceRule accepts "TYPE MAJOR:MINOR ACCESS", as the kernel's device list takes it.
func checkDeviceRule(s string) (string, error) {
	var kind, numbers, access string
	if part := strings.Split(s, " "); len(part) == 3 {
		kind, numbers, access = part[0], part[1], part[2]
	}
	major, minor, _ := strings.Cut(numbers, ":")
	ok := len(kind) == 1 && strings.Contains("abc", kind) && access != "" && len(access) <= 3 && strings.Trim(access, "rwm") == ""
	for _, n := range []string{major, minor} {
		ok = ok && (n == "*" || n != "" && strings.Trim(n, "0123456789") == "")
	}
	if !ok {
		return "", fmt.Errorf("invalid device cgroup format '%s'", s)
	}
	return s, nil
}
