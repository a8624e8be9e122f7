// Package children keeps hulld's two companions alive: hull-containerd and hull-trace. Each is a process in a session of its own, so that it
// survives hulld; a living one is adopted, never started a second time; one that dies is started again.
//
// It is called by hulld's main alone. Containers are no children of anybody here.
package children

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Lock is the pid file of a long-lived binary, held while it lives (docs/seams.md, section 5). The kernel gives it back at exit, however that
// comes: a stale file locks nobody out (flock(2)).
type Lock struct{ f *os.File }

// ErrHeld means that a living process holds the lock.
var ErrHeld = errors.New("another process runs already")

// Take locks the pid file and writes this process's pid and address into it.
func Take(path, address string) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if err == unix.EWOULDBLOCK {
			return nil, fmt.Errorf("%s: %w", path, ErrHeld)
		}
		return nil, os.NewSyscallError("flock", err)
	}
	if err := f.Truncate(0); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"+address+"\n"), 0)
	return &Lock{f}, err
}

// Release gives the lock back and removes the file.
func (l *Lock) Release() {
	os.Remove(l.f.Name())
	l.f.Close()
}

// holder is the pid in a pid file whose lock is held, or 0.
func holder(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil {
		return 0 // we got it: nobody holds it, and closing gives it back
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(first)
	return pid
}
