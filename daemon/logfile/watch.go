package logfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

var errUntil = errors.New("the asked-for time is over")

// watch wakes a reader when the file has grown. inotify(7) tells of writes by other processes without any polling; a change between the
// last read and the wait stays queued in the descriptor.
type watch struct{ f *os.File }

// watchFile watches the file, which it makes if the writer has not yet: both open it with O_CREATE and append.
func watchFile(path string) (*watch, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	w := &watch{os.NewFile(uintptr(fd), "inotify")}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
		w.Close()
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	return w, nil
}

func (w *watch) Close() { w.f.Close() }

// wait returns when the file may have grown, when ended is closed, or with an error when ctx or the time is over.
func (w *watch) wait(ctx context.Context, ended <-chan struct{}, until time.Time) error {
	changed := make(chan error, 1)
	go func() {
		var buf [4096]byte
		_, err := w.f.Read(buf[:])
		changed <- err
	}()
	var limit <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		limit = t.C
	}
	var result error
	select {
	case err := <-changed:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		return nil
	case <-ended:
	case <-ctx.Done():
		result = ctx.Err()
	case <-limit:
		result = errUntil
	}
	w.f.SetReadDeadline(time.Unix(1, 0)) // takes the goroutine back before anybody closes the descriptor
	<-changed
	w.f.SetReadDeadline(time.Time{})
	return result
}
