package rootfs

import (
	"fmt"
	"slices"
	"strings"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// namespaced are the kernel parameters outside net. and fs.mqueue. that belong to a namespace (ipc_namespaces(7)).
var namespaced = []string{
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
}

// Sysctls appends the rows that set kernel parameters. Only those of a namespace that is the container's own are allowed: any other
// would change the host. own tells which kinds the container has.
func Sysctls(p *linux.Program, proc *int32, own map[specs.LinuxNamespaceType]bool, values map[string]string) error {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		refuse := func(kind stages.Kind, why string) error {
			return &stages.Error{Step: stages.RuncInitSysctl, Kind: kind, Thing: "linux.sysctl " + name, Err: fmt.Errorf("%s", why)}
		}
		path := strings.ReplaceAll(name, ".", "/")
		if strings.Contains(name, "/") { // the other spelling: a dot is then part of a name, as in net/ipv4/conf/eth0.1
			path = name
		}
		dotted := strings.ReplaceAll(path, "/", ".")
		if strings.Contains(dotted, "..") || strings.Contains(values[name], "\n") {
			return refuse(stages.Invalid, "neither \"..\" in the name nor a newline in the value is allowed")
		}
		switch {
		case slices.Contains(namespaced, dotted) || strings.HasPrefix(dotted, "fs.mqueue."):
			if !own[specs.IPCNamespace] {
				return refuse(stages.Denied, "the container has no ipc namespace of its own: this would change the host")
			}
		case dotted == "kernel.domainname": // how dockers before the specification's domainname field set it (uts_namespaces(7))
			if !own[specs.UTSNamespace] {
				return refuse(stages.Denied, "the container has no uts namespace of its own: this would change the host")
			}
		case strings.HasPrefix(dotted, "net."):
			if !own[specs.NetworkNamespace] {
				return refuse(stages.Denied, "the container has no network namespace of its own: this would change the host")
			}
		default:
			return refuse(stages.Denied, "it belongs to no namespace: this would change the host")
		}
		p.At(stages.RuncInitSysctl, dotted)
		fd := linux.Cell(-1)
		p.Do(
			linux.Openat2(linux.FD(proc), "sys/"+path, unix.O_WRONLY, procFlags, fd),
			linux.Write(linux.FD(fd), values[name]),
			linux.Close(linux.FD(fd)),
		)
	}
	return nil
}
