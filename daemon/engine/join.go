package engine

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"hull/daemon/spec"
	"hull/daemon/store"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// nameJoins replaces the names of containers whose namespaces are joined by their ids: a name may be another's by the next start.
func (e *Engine) nameJoins(req *CreateRequest) error {
	for _, j := range spec.Joins(req.HostConfig) {
		c, err := e.registry.find(j.Container)
		if err != nil {
			return err
		}
		j.Rename(req.HostConfig, c.ID)
	}
	return nil
}

// A donor is a process whose namespace another container is to have.
type donor struct {
	id    string
	pid   int
	start uint64
}

type donors []donor

// joinNamespaces writes where the namespaces of other containers are into the spec that containerd keeps: /proc/PID/ns of their first
// processes. It is done at each start, for that process is another one after each of theirs.
func (e *Engine) joinNamespaces(ctx context.Context, rec *store.Record) (found donors, err error) {
	if name := rec.HostConfig.NetworkMode.ConnectedContainer(); name != "" { // its path is the network's business: network.go
		d, err := e.donor(spec.Join{Type: specs.NetworkNamespace, Container: name}, rec.ID)
		if err != nil {
			return nil, err
		}
		found = append(found, d)
	}
	joins := spec.Joins(rec.HostConfig)
	if len(joins) == 0 {
		return found, nil
	}
	paths := make([]string, len(joins))
	for i, j := range joins {
		d, err := e.donor(j, rec.ID)
		if err != nil {
			return nil, err
		}
		found = append(found, d)
		paths[i] = fmt.Sprintf("/proc/%d/ns/%s", d.pid, namespaceFile[j.Type])
	}
	return found, e.ctd.ChangeSpec(ctx, rec.ID, func(s *specs.Spec) {
		for i, j := range joins {
			j.SetPath(s, paths[i])
		}
	})
}

// namespaceFile is a namespace's name below /proc/PID/ns (proc_pid_ns(5)).
var namespaceFile = map[specs.LinuxNamespaceType]string{specs.PIDNamespace: "pid", specs.IPCNamespace: "ipc"}

// donor is the other container's first process, which must be running.
func (e *Engine) donor(j spec.Join, self string) (d donor, err error) {
	words := map[specs.LinuxNamespaceType]string{
		specs.PIDNamespace: "failed to join PID namespace: ", specs.IPCNamespace: "failed to join IPC namespace: ", specs.NetworkNamespace: "",
	}[j.Type]
	c, err := e.registry.find(j.Container)
	if err != nil {
		return d, fmt.Errorf("%s%w", words, err)
	}
	rec := c.Record()
	d = donor{c.ID, rec.State.PID, rec.State.PIDStart}
	switch {
	case c.ID == self && j.Type == specs.NetworkNamespace:
		return d, failure(stages.Conflict, "cannot join own network")
	case !c.Running() || d.start == 0 || startTime(d.pid) != d.start:
		if j.Type == specs.NetworkNamespace {
			return d, failure(stages.Conflict, "cannot join network of a non running container: %s", c.ID)
		}
		return d, failure(stages.Conflict, "%scontainer %s is not running", words, j.Container)
	case j.Type == specs.IPCNamespace && !rec.HostConfig.IpcMode.IsShareable():
		return d, failure(stages.Invalid, "%scontainer %s: non-shareable IPC (hint: use IpcMode:shareable for the donor container)", words, j.Container)
	}
	return d, nil
}

// still holds that the donors are the processes that they were before the runtime opened their namespaces. A process that is there before and
// after was there in between, and nobody else had its pid.
func (all donors) still() error {
	for _, d := range all {
		if startTime(d.pid) != d.start {
			return failure(stages.Conflict, "container %s is not running", d.id)
		}
	}
	return nil
}

// startTime is when a process began, in clock ticks since the machine did; 0 if there is none (proc_pid_stat(5), field 22).
func startTime(pid int) uint64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// Field 2 is the name in parentheses, and may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" { // a zombie has left its namespaces
		return 0
	}
	n, _ := strconv.ParseUint(fields[19], 10, 64)
	return n
}
