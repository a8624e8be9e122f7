package cgroup

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"hull/stages"
)

// killPatience bounds how long Kill waits for the group to be empty.
const killPatience = 10 * time.Second

// Kill ends every process in the group with SIGKILL, and returns when none is left in it (their parents may still have to reap them).
// No fork can outrun it: v2's cgroup.kill (Linux 5.14) is one act of the kernel; on v1 the group is frozen while it is signalled.
func (g *Group) Kill() error {
	deadline := time.Now().Add(killPatience)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		pids, err := g.PIDs()
		if err != nil {
			return cannot(kindOf(err), "cgroup", "cgroup.procs", err)
		}
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return cannot(stages.Internal, "cgroup", "cgroup.procs", fmt.Errorf("processes %v live on after SIGKILL", pids))
		}
		if err := g.signal(); err != nil {
			return err
		}
		time.Sleep(wait)
	}
}

// signal sends one round of SIGKILL.
func (g *Group) signal() error {
	if m := g.unified(); m != nil {
		f, err := openFile(m.Dir, "cgroup.kill", unix.O_WRONLY)
		if err == nil {
			defer f.Close()
			if _, err = f.WriteString("1"); err == nil && len(g.Members) == 1 {
				return nil
			}
		}
		// No such file before Linux 5.14. And on a hybrid machine a process may sit in the v1 directories only.
	}
	// On v1: frozen, the list cannot change while it is read and signalled. A group that will not freeze is signalled nevertheless: the
	// next round catches what escaped. A killed task of a frozen v1 group dies only after the thaw.
	if g.Freeze() == nil {
		defer g.Thaw()
	}
	for _, m := range g.Members {
		if m.Version != 1 && len(g.Members) > 1 {
			continue
		}
		dir, err := openDir(m.Dir)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return cannot(kindOf(err), m.Controller, m.Dir, err)
		}
		err = walk(dir, killIn)
		dir.Close()
		if err != nil {
			return cannot(kindOf(err), m.Controller, m.Dir, err)
		}
	}
	return nil
}

// killIn signals the processes of one group. A pid is only a number that may name another process by now; so it is first bound to a
// process by pidfd_open(2), then looked for in the group again: if it is still there, the descriptor is of a process in the group.
func killIn(dir *os.File) error {
	pids, err := pidsOf(dir)
	if err != nil || len(pids) == 0 {
		return err
	}
	held := map[int]int{}
	defer func() {
		for _, fd := range held {
			unix.Close(fd)
		}
	}()
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if err == unix.EMFILE {
			break // the next round takes the rest
		}
		if err == nil {
			held[pid] = fd
		}
	}
	again, err := pidsOf(dir)
	if err != nil {
		return err
	}
	for pid, fd := range held {
		if slices.Contains(again, pid) {
			if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && err != unix.ESRCH {
				return fmt.Errorf("SIGKILL to %d: %w", pid, err)
			}
		}
	}
	return nil
}
