package container

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"hull/runc/cgroup"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A State is what the runtime remembers of a container between its verbs.
type State struct {
	OCIVersion  string            `json:"ociVersion"`
	ID          string            `json:"id"`
	PID         int               `json:"pid"`      // the first process, in the runtime's pid namespace; 0 while it is being created
	PIDStart    uint64            `json:"pidStart"` // its start time (field 22 of /proc/PID/stat): a recycled pid has another
	OwnPIDs     bool              `json:"ownPids"`  // it is pid 1 of a namespace of its own: its end ends all others
	Bundle      string            `json:"bundle"`
	Rootfs      string            `json:"rootfs"`
	Program     string            `json:"program"` // process.args[0]
	Created     time.Time         `json:"created"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Cgroup      *cgroup.Group     `json:"cgroup,omitempty"`

	// For exec.
	Filtered  bool             `json:"filtered"`        // there is a system call filter: see saveFilter
	Agent     *Agent           `json:"agent,omitempty"` // whom it asks
	Inherited later[Inherited] `json:"inherited,omitzero"`

	Hooks       later[*specs.Hooks]   `json:"hooks,omitzero"`
	HookProcess later[*specs.Process] `json:"hookProcess,omitzero"` // whose user, limits and rights the startContainer hooks have

	dir string
}

// statePaused is a status that the specification leaves to the runtimes; it is runc's word.
const statePaused specs.ContainerState = "paused"

const (
	stateFile = "state.json"
	fifoFile  = "exec.fifo"
	groupLink = "cgroup" // its target is the cgroups' path: known before the first group is made, and to whoever finds no state yet
)

// checkID holds an id against what it becomes: the name of a directory (NAME_MAX, 255 bytes) and of a cgroup.
func checkID(id string) error {
	bad := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+.-", r))
	}
	if id == "" || len(id) > 255 || id == "." || id == ".." || strings.ContainsFunc(id, bad) {
		return &stages.Error{Kind: stages.Invalid, Thing: "container id " + strconv.Quote(id), Err: errors.New("invalid id format"), Hint: "letters, digits and _ + - . only, at most 255"}
	}
	return nil
}

// Find reads the state of a container. The words "does not exist" are what callers look for.
func Find(root, id string) (*State, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	s := &State{dir: filepath.Join(root, id)}
	text, err := os.ReadFile(filepath.Join(s.dir, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, &stages.Error{Kind: stages.NotFound, Thing: "container " + strconv.Quote(id), Err: errors.New("container does not exist")}
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, &stages.Error{Kind: stages.Internal, Thing: filepath.Join(s.dir, stateFile), Err: err}
	}
	return s, nil
}

// lock keeps other verbs from the container until the file is closed (flock(2) on its directory).
func (s *State) lock() (*os.File, error) { return s.locked(unix.LOCK_EX) }

// share keeps those verbs away that lock, and not others that share.
func (s *State) share() (*os.File, error) { return s.locked(unix.LOCK_SH) }

func (s *State) locked(how int) (*os.File, error) {
	f, err := os.Open(s.dir)
	if err != nil {
		return nil, err
	}
	if err := flock(f, how); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func flock(dir *os.File, how int) error {
	for {
		switch err := unix.Flock(int(dir.Fd()), how); err {
		case unix.EINTR:
		case nil:
			return nil
		default:
			return fmt.Errorf("flock %s: %w", dir.Name(), err)
		}
	}
}

// save replaces the state file in one step: a reader sees the old or the new one. The directory dies with the machine (it is below
// /run), so nothing is synced.
func (s *State) save() error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	name := filepath.Join(s.dir, stateFile)
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// Status is where the container is in its life (OCI runtime-spec, runtime.md), as the kernel tells it now.
func (s *State) Status() specs.ContainerState {
	if s.PID == 0 {
		return specs.StateCreating
	}
	if !s.alive() {
		return specs.StateStopped
	}
	if _, err := os.Lstat(filepath.Join(s.dir, fifoFile)); err == nil {
		return specs.StateCreated
	}
	return specs.StateRunning
}

// Paused reports whether the container is running and its processes are frozen.
func (s *State) Paused() bool {
	return s.Cgroup != nil && s.Status() == specs.StateRunning && s.Cgroup.Frozen()
}

// alive reports whether the first process is there: the same one, and not a zombie.
func (s *State) alive() bool {
	if s.PID == 0 {
		return false
	}
	state, start := processStat(s.PID)
	return start == s.PIDStart && start != 0 && state != 'Z' && state != 'X'
}

// processStat is the state and the start time from /proc/PID/stat (proc_pid_stat(5)); 0, 0 if there is no such process.
func processStat(pid int) (state byte, start uint64) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0
	}
	// The task's name, the second field, may hold spaces and parentheses; the last ')' ends it.
	field := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(field) < 20 {
		return 0, 0
	}
	start, _ = strconv.ParseUint(field[19], 10, 64)
	return field[0][0], start
}

// Now is the status as `state` and `list` tell it, and the pid of the first process, which a stopped container has not.
func (s *State) Now() (status specs.ContainerState, pid int) {
	status, pid = s.Status(), s.PID
	switch {
	case status == specs.StateStopped:
		pid = 0
	case status == specs.StateRunning && s.Paused():
		status = statePaused
	}
	return status, pid
}

// A View is the state as `state` and `list` print it: the specification's (runtime.md, State) with what runc adds, in runc's order.
type View struct {
	OCIVersion  string               `json:"ociVersion"`
	ID          string               `json:"id"`
	PID         int                  `json:"pid"` // 0 when it has stopped
	Status      specs.ContainerState `json:"status"`
	Bundle      string               `json:"bundle"`
	Rootfs      string               `json:"rootfs"`
	Created     time.Time            `json:"created"`
	Annotations map[string]string    `json:"annotations,omitempty"`
	Owner       string               `json:"owner"` // in the list only
}

// View is the state now.
func (s *State) View() View {
	status, pid := s.Now()
	return View{OCIVersion: s.OCIVersion, ID: s.ID, PID: pid, Status: status, Bundle: s.Bundle, Rootfs: s.Rootfs, Created: s.Created, Annotations: s.Annotations}
}
