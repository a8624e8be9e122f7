package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// isolationOptions are run's flags about what separates the container from the host: namespaces, capabilities, filters.
type isolationOptions struct {
	asked       engine.Isolation // what needs no reading
	securityOpt []string
	runtime     string
}

func (o *isolationOptions) define(f *pflag.FlagSet) {
	i := &o.asked
	f.BoolVar(&i.Privileged, "privileged", false, "Give extended privileges to this container")
	f.Var(listValue{&i.CapAdd, capability}, "cap-add", "Add Linux capabilities")
	f.Var(listValue{&i.CapDrop, capability}, "cap-drop", "Drop Linux capabilities")
	f.Var(listValue{&o.securityOpt, nil}, "security-opt", "Security Options")
	f.Var(mapValue{&i.Sysctls, checkSysctl}, "sysctl", "Sysctl options")
	f.StringVar(&i.PidMode, "pid", "", "PID namespace to use")
	f.StringVar(&i.IpcMode, "ipc", "", "IPC mode to use")
	f.StringVar(&i.UTSMode, "uts", "", "UTS namespace to use")
	f.StringVar(&i.UsernsMode, "userns", "", "User namespace to use")
	f.StringVar(&i.CgroupnsMode, "cgroupns", "", "Cgroup namespace to use (host|private)")
	f.StringVar(&o.runtime, "runtime", "", "Runtime to use for this container")
}

func (o *isolationOptions) apply(body *engine.CreateRequest) (err error) {
	i := o.asked
	container := strings.HasPrefix(i.PidMode, "container:") && len(i.PidMode) > len("container:")
	for _, mode := range []struct {
		ok    bool
		words string
	}{
		{i.PidMode == "" || i.PidMode == "host" || container, "--pid: invalid PID mode"},
		{i.UTSMode == "" || i.UTSMode == "host", "--uts: invalid UTS mode"},
		{i.UsernsMode == "" || i.UsernsMode == "host", "--userns: invalid USER mode"},
		{i.CgroupnsMode == "" || i.CgroupnsMode == "host" || i.CgroupnsMode == "private", "--cgroupns: invalid CGROUP mode"},
	} {
		if !mode.ok {
			return errors.New(mode.words)
		}
	}
	for _, opt := range o.securityOpt {
		if opt == "systempaths=unconfined" { // the client's own option: the API has two lists for it
			i.MaskedPaths, i.ReadonlyPaths = &[]string{}, &[]string{}
			continue
		}
		if opt, err = readSecurityOpt(opt); err != nil {
			return err
		}
		i.SecurityOpt = append(i.SecurityOpt, opt)
	}
	body.HostConfig.Isolation, body.HostConfig.Runtime = i, o.runtime
	return nil
}

// capability gives a capability's name the kernel's form: net_admin is CAP_NET_ADMIN.
func capability(s string) (string, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if s == "ALL" || strings.HasPrefix(s, "CAP_") {
		return s, nil
	}
	return "CAP_" + s, nil
}

// readSecurityOpt replaces a seccomp profile's file name by its content: the daemon does not know where the client stands.
func readSecurityOpt(opt string) (string, error) {
	name, value, ok := strings.Cut(opt, "=")
	if name == "no-new-privileges" || strings.HasPrefix(opt, "no-new-privileges:") {
		return opt, nil
	}
	if !ok {
		name, value, ok = strings.Cut(opt, ":")
	}
	if !ok || value == "" {
		return "", fmt.Errorf("invalid --security-opt: %q", opt)
	}
	if name != "seccomp" || value == "unconfined" || value == "builtin" {
		return opt, nil
	}
	text, err := os.ReadFile(value)
	if err != nil {
		return "", fmt.Errorf("opening seccomp profile (%s) failed: %w", value, err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return "", fmt.Errorf("compacting json for seccomp profile (%s) failed: %w", value, err)
	}
	return "seccomp=" + b.String(), nil
}

// ipcSysctls are the kernel parameters of the ipc namespace (ipc_namespaces(7)).
var ipcSysctls = []string{
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
}

// checkSysctl accepts parameters that belong to a namespace.
func checkSysctl(s string) error {
	name, _, ok := strings.Cut(s, "=")
	if ok && (slices.Contains(ipcSysctls, name) || strings.HasPrefix(name, "net.") || strings.HasPrefix(name, "fs.mqueue.")) {
		return nil
	}
	return fmt.Errorf("sysctl '%s' is not allowed", s)
}
