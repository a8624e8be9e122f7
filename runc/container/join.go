package container

import (
	"hull/runc/confine"
	"hull/runc/linux"
	"hull/runc/process"
	"hull/runc/rootfs"
	"hull/runc/seccomp"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// joinProgram writes the program of exec. Nothing is made: the container is there. The list is in two parts, run by two processes: one
// that joins and is confined, and then one that it clones, which is the container's. In the container's pid namespace there is never a
// process that has the host's root directory, one of its descriptors or a right that the container has not: its processes can see and,
// with CAP_SYS_PTRACE, take hold of whatever is born there (CVE-2016-9962).
func (t *initTable) joinProgram(report int) (*linux.Program, error) {
	t.p = linux.New(report)
	nnp := t.spec.Process.NoNewPrivileges
	// A filter that forbids its birth must come after it, and so must one whose agent is told its pid, and what it would not inherit. Then it
	// is born with all rights.
	early := !nnp && (!t.permitted() || t.agent != nil) || t.attributes.Unshared()
	for _, part := range []func() error{
		t.shield,
		t.joinCgroups,
		t.affinity,
		t.oomScore,
		t.label,
		t.raise,
		t.enter,
		t.keyring,
		t.terminal,
		t.attach,
		t.closeAll,
		t.rlimits,
		when(early, t.begin),
		t.user,
		t.existingDir,
		t.lookUp,
		t.scheduling,
		when(!nnp, t.seccomp), // while CAP_SYS_ADMIN is there
		t.capabilities_,
		when(nnp, t.noNewPrivs),
		t.signals,
		when(!early, t.begin),
		t.executing,
		when(nnp, t.seccomp), // last: not even the report is written under the user's filter
		t.become,
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return t.p, nil
}

// affinity: what a fork inherits as well.
func (t *initTable) affinity() error {
	t.attributes.Finally(t.p)
	return nil
}

// enter: from here on paths, names and networks are the container's, and children are born in its pid namespace. The root directory and
// the current one are the new mount namespace's root (setns(2)).
func (t *initTable) enter() error {
	t.p.At(stages.RuncExecJoin, "")
	t.p.Copy = t.flags&unix.CLONE_NEWTIME != 0 // whoever enters a time namespace must not share its memory: EUSERS (setns(2))
	t.p.Do(linux.SetnsOf(t.target, t.flags))
	if t.flags&unix.CLONE_NEWUSER != 0 {
		t.namespaces.Users.Root(t.p)
	}
	return nil
}

// raise: hard limits above ours, while the right to that is there.
func (t *initTable) raise() error {
	if t.flags&unix.CLONE_NEWUSER == 0 {
		return nil
	}
	raises, err := confine.Raises(t.spec.Process.Rlimits)
	for _, r := range raises {
		t.p.At(stages.None, "process.rlimits")
		t.p.Do(linux.Prlimit(r.Resource, r.Limit))
	}
	return err
}

// terminal: from the container's own devpts, as for the first process; /dev/console stays that one's.
func (t *initTable) terminal() error {
	if p := t.spec.Process; p.Terminal {
		process.Console(t.p, here(), t.console, p.ConsoleSize, p.User.UID, nil)
	}
	return nil
}

// existingDir: beneath the root and by descriptor, as create does it; but no directory is made in a container that runs.
func (t *initTable) existingDir() error {
	process.WorkDir(t.p, t.spec.Process.Cwd, func(path string) *int32 { return rootfs.Dir(t.p, here(), path) })
	return nil
}

// begin: the process is born, and begins its session. Only the leader of a session can have a terminal, and only of one that began inside.
func (t *initTable) begin() error {
	t.p.At(stages.RuncExecClone, "")
	if err := t.p.Born(0); err != nil {
		return err
	}
	if t.spec.Process.Terminal {
		defer process.Controlling(t.p)
	}
	return t.session()
}

// permitted reports whether the filter permits what begin does.
func (t *initTable) permitted() bool {
	f := seccomp.Filter{Insns: t.filter}
	return len(t.filter) == 0 ||
		f.Permits(unix.SYS_CLONE, [6]uint64{unix.CLONE_PARENT | unix.CLONE_PARENT_SETTID}) && f.Permits(unix.SYS_SETSID, [6]uint64{}) &&
			(!t.spec.Process.Terminal || f.Permits(unix.SYS_IOCTL, [6]uint64{0, unix.TIOCSCTTY}))
}

// executing says so to the parent, which then takes the end of the pipe for execve(2)'s success.
func (t *initTable) executing() error {
	t.p.At(stages.None, "report")
	t.p.Do(t.p.Started())
	return nil
}
