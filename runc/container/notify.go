package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"hull/runc/linux"
	"hull/runc/process"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// An Agent is who decides about the system calls that a filter asks about (OCI runtime-spec, config-linux.md, SCMP_ACT_NOTIFY): it listens on a
// UNIX socket, and gets the filter's listener over it.
type Agent struct {
	Path     string `json:"path"`
	Metadata string `json:"metadata,omitempty"`
}

// agentOf is the profile's agent; nil if its filter asks nobody. That somebody listens there is found out by the connection.
func agentOf(s *specs.LinuxSeccomp, flags uint) (*Agent, error) {
	if flags&unix.SECCOMP_FILTER_FLAG_NEW_LISTENER == 0 {
		return nil, nil
	}
	refuse := func(err error) (*Agent, error) {
		return nil, &stages.Error{Step: stages.RuncInitSeccomp, Kind: stages.Invalid, Thing: "linux.seccomp.listenerPath " + s.ListenerPath, Err: err}
	}
	st, err := os.Stat(s.ListenerPath)
	switch {
	case err != nil:
		return refuse(errors.Unwrap(err))
	case st.Mode()&os.ModeSocket == 0:
		return refuse(unix.ENOTSOCK)
	case !filepath.IsAbs(s.ListenerPath):
		return refuse(errors.New("not an absolute path"))
	}
	return &Agent{s.ListenerPath, s.ListenerMetadata}, nil
}

// connect connects to the agent: one connection for each process (config-linux.md, Seccomp, listenerPath).
func (a *Agent) connect() (fd int, err error) {
	fd, err = process.Dial(a.Path)
	if err != nil {
		return -1, &stages.Error{Step: stages.RuncInitSeccomp, Kind: stages.Unavailable, Thing: "linux.seccomp.listenerPath " + a.Path, Err: err, Hint: "does the agent listen?"}
	}
	return fd, nil
}

// channel is the child's way to report: a pipe; or a pair of sockets, where we have to answer (unix(7)).
func (t *initTable) channel() (ours, theirs int, err error) {
	var pair [2]int
	if t.agent == nil {
		if err := unix.Pipe2(pair[:], unix.O_CLOEXEC); err != nil {
			return -1, -1, fmt.Errorf("pipe2: %w", err)
		}
		return pair[0], pair[1], nil
	}
	if pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, -1, fmt.Errorf("socketpair: %w", err)
	}
	return pair[0], pair[1], nil
}

// handOver takes the listener out of the child, which waits for it, gives it to the agent, and lets the child go on.
func (t *initTable) handOver(r linux.Report, pid, pidfd, channel int) (err error) {
	defer func() {
		if err != nil {
			err = &stages.Error{Step: stages.RuncInitSeccomp, Kind: stages.Internal, Thing: "linux.seccomp.listenerPath " + t.agent.Path, Err: err}
		}
	}()
	listener, err := unix.PidfdGetfd(pidfd, int(r.Errno), 0) // Linux 5.6
	if err != nil {
		return fmt.Errorf("pidfd_getfd: %w", err)
	}
	defer unix.Close(listener)
	state := t.told
	if state.Status == specs.StateCreating {
		state.Pid = pid
	}
	text, err := json.Marshal(specs.ContainerProcessState{
		Version: specs.Version, Fds: []string{specs.SeccompFdName}, Pid: pid, Metadata: t.agent.Metadata, State: state,
	})
	if err != nil {
		return err
	}
	if err := process.Pass(t.agentFD, text, listener); err != nil {
		return err
	}
	unix.Close(t.agentFD) // the message ends here
	if _, err := unix.Write(channel, []byte{0}); err != nil {
		return fmt.Errorf("let the process go on: %w", err)
	}
	return nil
}
