package stdio

import (
	"os"

	"golang.org/x/sys/unix"
)

// openOutput opens an output FIFO for reading and writing at once, which Linux allows (fifo(7)): it never waits for a reader, and because
// we are a reader ourselves, a write never fails because the supervisor died. It only waits while the pipe is full.
//
// O_NONBLOCK puts it into Go's poller: a blocked write costs a goroutine, not a thread.
func openOutput(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
}

// An input is the stdin FIFO with a write end of our own, so that a client that leaves is no end of file. CloseIO drops the write end.
type input struct {
	read *os.File
	keep *os.File
}

func openInput(path string) (*input, error) {
	read, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	keep, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0) // there is a reader: us
	if err != nil {
		read.Close()
		return nil, err
	}
	return &input{read, keep}, nil
}

// A pipe is an anonymous pipe: theirs for the container, a blocking description as programs expect it, ours for Go's poller.
type pipe struct{ ours, theirs *os.File }

// newPipe makes a pipe whose reading or writing end is the container's.
func newPipe(theyRead bool, uid, gid int) (*pipe, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	r, w := fds[0], fds[1]
	ours, theirs := r, w
	if theyRead {
		ours, theirs = w, r
	}
	// A container that does not start as root opens /dev/stdout by name: the pipe's owner decides. fchown(2)
	var err error
	if uid != 0 || gid != 0 {
		err = os.NewSyscallError("fchown", unix.Fchown(theirs, uid, gid))
	}
	// O_NONBLOCK belongs to the open file description, and the two ends have one each: the container's stays blocking.
	if err == nil {
		err = os.NewSyscallError("fcntl", unix.SetNonblock(ours, true))
	}
	p := &pipe{os.NewFile(uintptr(ours), "pipe"), os.NewFile(uintptr(theirs), "pipe")}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pipe) close() {
	p.ours.Close()
	p.theirs.Close()
}
