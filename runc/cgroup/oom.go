package cgroup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"hull/stages"
)

// An OOMWatch tells when the group was out of memory.
type OOMWatch struct {
	FD  int // for poll(2): readable when there is something to count
	dir *os.File
	v2  bool
	was uint64 // v2: oom_kill when it was last looked at
}

// WatchOOM begins to watch. On v1 an eventfd is registered for memory.oom_control (cgroup-v1/memory.rst, "OOM Control"), which the kernel
// writes to at each shortage. On v2 memory.events is watched by inotify(7) (cgroup-v2.rst), and its count of kills read.
func (g *Group) WatchOOM() (*OOMWatch, error) {
	m := g.member(func(m Member) bool { return slices.Contains(strings.Split(m.Controller, ","), "memory") })
	if m == nil {
		return nil, cannot(stages.Unsupported, "memory", "memory.events", errors.New("no mounted hierarchy has this controller"))
	}
	dir, err := openDir(m.Dir)
	if err != nil {
		return nil, cannot(kindOf(err), "memory", m.Dir, err)
	}
	w := &OOMWatch{FD: -1, dir: dir, v2: m.Version == 2}
	if w.v2 {
		err = w.inotify()
	} else {
		err = w.eventfd()
	}
	if err != nil {
		w.Close()
		return nil, cannot(kindOf(err), "memory", m.Dir, err)
	}
	return w, nil
}

func (w *OOMWatch) eventfd() (err error) {
	if w.FD, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	control, err := openIn(w.dir, "memory.oom_control", unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer control.Close() // the registration holds it
	return write(w.dir, "cgroup.event_control", fmt.Sprintf("%d %d", w.FD, control.Fd()))
}

func (w *OOMWatch) inotify() (err error) {
	if w.FD, err = unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK); err != nil {
		return fmt.Errorf("inotify_init1: %w", err)
	}
	if _, err := unix.InotifyAddWatch(w.FD, fmt.Sprintf("/proc/self/fd/%d/memory.events", w.dir.Fd()), unix.IN_MODIFY); err != nil {
		return fmt.Errorf("inotify_add_watch memory.events: %w", err)
	}
	w.was, err = w.kills()
	return err
}

func (w *OOMWatch) kills() (uint64, error) {
	r := &reader{dir: w.dir}
	return r.keyed("memory.events")["oom_kill"], r.err
}

// Count is how often it has happened since the last call. It does not wait.
func (w *OOMWatch) Count() (uint64, error) {
	buf := make([]byte, 4096)
	n, err := unix.Read(w.FD, buf)
	switch {
	case err == unix.EAGAIN, err == unix.EINTR:
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("watch memory: %w", err)
	}
	if !w.v2 {
		// The eventfd is written to once more when the group is removed.
		if _, err := read(w.dir, "memory.oom_control"); err != nil || n != 8 {
			return 0, nil
		}
		return binary.NativeEndian.Uint64(buf), nil
	}
	now, err := w.kills()
	was := w.was
	w.was = max(was, now) // 0 when the group is gone
	return w.was - was, err
}

// Close ends the watch.
func (w *OOMWatch) Close() {
	if w.FD >= 0 {
		unix.Close(w.FD)
	}
	w.dir.Close()
}
