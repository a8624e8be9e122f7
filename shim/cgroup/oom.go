package cgroup

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// OOMKills is how many processes of the group the kernel has killed because the group had used up its memory.
func (g Group) OOMKills() uint64 {
	if dir := g.v1["memory"]; dir != "" {
		return numbers(dir, "memory.oom_control")["oom_kill"] // Linux 4.13
	}
	return numbers(g.v2, "memory.events")["oom_kill"]
}

// A Watch waits for the group's memory to run out.
type Watch struct{ events *os.File }

// WatchOOM calls out, on a goroutine of its own, whenever the group's memory has run out, until the Watch is closed. A group whose memory
// nobody counts gives no Watch and no error.
func (g Group) WatchOOM(out func()) (*Watch, error) {
	switch {
	case exists(g.v1["memory"], "memory.oom_control"):
		return watch1(g.v1["memory"], out)
	case len(g.v1) == 0 && exists(g.v2, "memory.events"):
		return watch2(g, out)
	}
	return nil, nil
}

// Close ends the watch.
func (w *Watch) Close() {
	if w != nil {
		w.events.Close()
	}
}

// watch1 asks cgroup v1 for a count in an eventfd(2): its number and that of the file to watch go into cgroup.event_control.
// Documentation/admin-guide/cgroup-v1/memory.rst, section 10. Non-blocking, it is Go's poller that waits, and no thread.
func watch1(dir string, out func()) (*Watch, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	w := &Watch{os.NewFile(uintptr(fd), "eventfd")}
	control, err := os.Open(filepath.Join(dir, "memory.oom_control"))
	if err != nil {
		w.Close()
		return nil, err
	}
	defer control.Close()
	if err := os.WriteFile(filepath.Join(dir, "cgroup.event_control"), fmt.Appendf(nil, "%d %d", fd, control.Fd()), 0o600); err != nil {
		w.Close()
		return nil, err
	}
	go func() {
		count := make([]byte, 8)
		for {
			if _, err := w.events.Read(count); err != nil {
				return
			}
			if !exists(dir, "memory.oom_control") { // the group's removal counts as an event
				return
			}
			out()
		}
	}()
	return w, nil
}

// watch2 looks at cgroup v2's counter whenever the kernel says that one in its file has changed. inotify(7)
func watch2(g Group, out func()) (*Watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	w := &Watch{os.NewFile(uintptr(fd), "inotify")}
	if _, err := unix.InotifyAddWatch(fd, filepath.Join(g.v2, "memory.events"), unix.IN_MODIFY); err != nil {
		w.Close()
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	seen := g.OOMKills()
	go func() {
		events := make([]byte, 4<<10)
		for {
			if _, err := w.events.Read(events); err != nil {
				return
			}
			if now := g.OOMKills(); now > seen {
				seen = now
				out()
			}
		}
	}()
	return w, nil
}
