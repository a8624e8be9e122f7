package namespace

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Users are the ids of a container. Without a user namespace they are the host's, and both maps are nil.
type Users struct {
	UIDs, GIDs IDMap
	NoGroups   bool // setgroups(2) is denied in it for ever (user_namespaces(7), /proc/PID/setgroups)
}

// checkUsers holds linux.uidMappings and gidMappings against each other and against who we are.
func (w *Wanted) checkUsers(l *specs.Linux) error {
	refuse := func(kind stages.Kind, thing, text, hint string) error {
		return &stages.Error{Step: stages.RuncNsUsermap, Kind: kind, Thing: thing, Err: errors.New(text), Hint: hint}
	}
	maps := []struct {
		field, tool string
		list        IDMap
		own         int
	}{
		{"linux.uidMappings", "newuidmap", l.UIDMappings, os.Geteuid()},
		{"linux.gidMappings", "newgidmap", l.GIDMappings, os.Getegid()},
	}
	_, joined := w.paths[specs.UserNamespace]
	switch {
	case !w.Own[specs.UserNamespace] && os.Geteuid() != 0:
		return refuse(stages.Denied, "linux.namespaces", "rootless containers require user namespaces", "an ordinary user has no right over the others without one")
	case !w.Own[specs.UserNamespace] && (l.UIDMappings != nil || l.GIDMappings != nil):
		field := maps[0].field
		if l.UIDMappings == nil {
			field = maps[1].field
		}
		return refuse(stages.Invalid, field, "user namespace mappings specified, but user namespace isn't enabled in the config", "")
	case !w.Own[specs.UserNamespace], joined && l.UIDMappings == nil && l.GIDMappings == nil:
		return nil
	}
	for _, m := range maps {
		if len(m.list) == 0 {
			return refuse(stages.Invalid, m.field, "user namespaces enabled, but no mappings to apply specified", "")
		}
		if err := m.list.check(m.field); err != nil {
			return err
		}
		if !joined && os.Geteuid() != 0 && !m.list.onlyOwn(m.own) && tool(m.tool) == "" {
			return refuse(stages.Denied, m.field, fmt.Sprintf("an ordinary user may map its own id %d alone", m.own), m.tool+"(1) may do more; it is in none of "+strings.Join(toolDirs, ", "))
		}
	}
	w.Users = Users{UIDs: l.UIDMappings, GIDs: l.GIDMappings}
	w.Users.NoGroups = os.Geteuid() != 0 && w.Users.GIDs.onlyOwn(os.Getegid())
	return nil
}

// onlyOwn reports whether the map is the one that needs no right: the writer's own id alone.
func (m IDMap) onlyOwn(id int) bool { return len(m) == 1 && m[0].Size == 1 && int(m[0].HostID) == id }

// readUsers reads the maps of a user namespace that is to be joined. The kernel shows a namespace's maps in the /proc of its processes
// only, so there is one for a moment. What the specification says of them must be true.
func (w *Wanted) readUsers() error {
	fd, ok := w.files[specs.UserNamespace]
	if !ok {
		return nil
	}
	fail := func(err error) error {
		return &stages.Error{Step: stages.RuncNsUsermap, Kind: stages.Invalid, Thing: w.paths[specs.UserNamespace], Err: err, Hint: "the user namespace cannot be joined"}
	}
	var report, hold [2]int
	if err := unix.Pipe2(report[:], unix.O_CLOEXEC); err != nil {
		return fail(fmt.Errorf("pipe2: %w", err))
	}
	defer unix.Close(report[0])
	if err := unix.Pipe2(hold[:], unix.O_CLOEXEC); err != nil {
		unix.Close(report[1])
		return fail(fmt.Errorf("pipe2: %w", err))
	}
	defer unix.Close(hold[1])
	p := linux.New(report[1])
	p.Copy = true // with our memory it would share that setns(2) closes our files in /proc to an ordinary user (PR_SET_DUMPABLE, prctl(2))
	p.Do(linux.Setns(linux.Num(fd), unix.CLONE_NEWUSER))
	p.Hold(linux.Cell(hold[0]), linux.Cell(hold[1]))
	p.Do(linux.GiveUp(unix.ECANCELED))
	pid, pidfd, err := p.Spawn(0, -1)
	unix.Close(report[1])
	unix.Close(hold[0])
	if err != nil {
		return fail(err)
	}
	defer func() {
		unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
		linux.Retry(func() (int, error) { return unix.Wait4(pid, nil, 0, nil) })
		unix.Close(pidfd)
	}()
	if r, ok, err := linux.ReadReport(report[0]); err != nil || !ok || !r.Held {
		return fail(errors.Join(err, fmt.Errorf("setns: %w", r.Errno)))
	}
	there, err := UsersOf(pid)
	if err != nil {
		return fail(err)
	}
	for _, m := range []struct {
		field       string
		said, there IDMap
	}{
		{"linux.uidMappings", w.Users.UIDs, there.UIDs},
		{"linux.gidMappings", w.Users.GIDs, there.GIDs},
	} {
		if m.said != nil && !slices.Equal(m.said, m.there) {
			return &stages.Error{Step: stages.RuncNsUsermap, Kind: stages.Invalid, Thing: m.field, Err: errors.New("the user namespace to be joined has other mappings"), Hint: "leave them out"}
		}
	}
	w.Users = there
	return nil
}

// Nested reports whether we are in a user namespace ourselves, whose uid 0 is not the machine's. In the first one every id stands for itself
// (user_namespaces(7)).
func Nested() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
}

// UsersOf reads the maps of a process's user namespace, as this one sees them. Those of our own are none.
func UsersOf(pid int) (u Users, err error) {
	dir, err := procOf(pid)
	if err != nil {
		return u, err
	}
	defer dir.Close()
	for _, m := range []struct {
		file string
		to   *IDMap
	}{{"uid_map", &u.UIDs}, {"gid_map", &u.GIDs}} {
		text, err := readIn(dir, m.file)
		if err != nil {
			return u, err
		}
		if *m.to, err = parseMap(text); err != nil {
			return u, fmt.Errorf("%s: %w", m.file, err)
		}
	}
	groups, err := readIn(dir, "setgroups")
	u.NoGroups = strings.TrimSpace(groups) == "deny"
	return u, err
}

// WriteMaps gives the new user namespace of a process its maps; the process waits meanwhile. It must be a child of ours that nobody has
// reaped, so that its number is nobody else's.
//
// As root the maps are written as they are. An ordinary user may write one line, for itself, and only after it has given up setgroups(2)
// in there: a process could otherwise leave a group that keeps it from something. All else newuidmap(1) and newgidmap(1) do, which hold
// the maps against /etc/subuid and /etc/subgid.
func (w *Wanted) WriteMaps(pid int) error {
	dir, err := procOf(pid)
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, m := range []struct {
		file, tool string
		ids        IDMap
		own        int
	}{
		{"uid_map", "newuidmap", w.Users.UIDs, os.Geteuid()}, {"gid_map", "newgidmap", w.Users.GIDs, os.Getegid()},
	} {
		if os.Geteuid() != 0 && !m.ids.onlyOwn(m.own) {
			if err := runTool(m.tool, pid, m.ids); err != nil {
				return err
			}
			continue
		}
		if m.file == "gid_map" && w.Users.NoGroups {
			if err := writeIn(dir, "setgroups", "deny"); err != nil {
				return err
			}
		}
		if err := writeIn(dir, m.file, m.ids.String()); err != nil {
			return err
		}
	}
	return nil
}

// Root appends the rows with which the process becomes uid 0 of its user namespace: it was the host's user until now, who has no number in
// there and so cannot own a file that is made (EOVERFLOW). It keeps its rights, which are those of the namespace (user_namespaces(7)).
func (u Users) Root(p *linux.Program) {
	p.At(stages.None, "uid 0 of the user namespace")
	if !u.NoGroups {
		p.Do(linux.Setgroups(nil))
	}
	p.Do(linux.Setresgid(0), linux.Setresuid(0))
}
