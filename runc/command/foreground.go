package command

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"hull/runc/linux"

	"golang.org/x/sys/unix"
)

// A spawner makes the process as our child. It asks for a console if the process is to have a terminal: for the socket over which the
// terminal's master comes.
type spawner func(console func() (int, error)) (pid, pidfd int, err error)

// foreground runs the process as our child: its streams are ours, signals to us go on to it, and its exit code comes back. With a terminal
// it gets one of its own, and ours is in raw mode as long.
func foreground(spawn spawner) (code int, err error) {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	var t *terminal
	defer func() { t.close() }()
	pid, pidfd, err := spawn(func() (int, error) {
		t, err = newTerminal()
		if err != nil {
			return -1, err
		}
		return t.theirs, nil
	})
	if err != nil {
		return 0, err
	}
	if t != nil {
		if err := t.begin(); err != nil {
			return 0, err
		}
	}
	go func() {
		for s := range signals {
			switch s {
			case unix.SIGCHLD, unix.SIGURG, unix.SIGPIPE: // ours; SIGURG is the Go scheduler's
			case unix.SIGWINCH:
				t.resize()
			default:
				unix.PidfdSendSignal(pidfd, s.(syscall.Signal), nil, 0)
			}
		}
	}()
	status, err := reap(pid)
	if err != nil {
		return 0, err
	}
	if t != nil {
		<-t.drained
	}
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// reap waits for our children until the one that counts has ended. The others are the container's orphans, which come to us if we are their
// nearest subreaper.
func reap(pid int) (status unix.WaitStatus, err error) {
	for {
		ended, err := linux.Retry(func() (int, error) { return unix.Wait4(-1, &status, 0, nil) })
		if err != nil {
			return 0, fmt.Errorf("wait4: %w", err)
		}
		if ended == pid {
			return status, nil
		}
	}
}

// subreaper makes us the new parent of orphans among our descendants (prctl(2), PR_SET_CHILD_SUBREAPER, Linux 3.4): what the container
// leaves behind without a pid namespace of its own is ours to reap, and not our parent's.
func subreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_CHILD_SUBREAPER): %w", err)
	}
	return nil
}

// A terminal is the process's, carried to ours.
type terminal struct {
	ours, theirs int // a pair of sockets: the master comes over it
	master       *os.File
	saved        *unix.Termios
	drained      chan struct{}
}

func newTerminal() (*terminal, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	return &terminal{ours: pair[0], theirs: pair[1], drained: make(chan struct{})}, nil
}

// begin takes the master (unix(7), SCM_RIGHTS) and carries bytes both ways.
func (t *terminal) begin() error {
	text, control := make([]byte, 64), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(t.ours, text, control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return fmt.Errorf("terminal: recvmsg: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("terminal: no descriptor came")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return fmt.Errorf("terminal: no descriptor came")
	}
	t.master = os.NewFile(uintptr(fds[0]), "terminal")
	if now, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		t.saved = now
		raw := *now
		// cfmakeraw(3): the other terminal does the echoing and turns ^C into a signal, not ours.
		raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		raw.Oflag &^= unix.OPOST
		raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		unix.IoctlSetTermios(0, unix.TCSETS, &raw)
	}
	t.resize()
	go io.Copy(t.master, os.Stdin)
	go func() {
		io.Copy(os.Stdout, t.master) // ends with EIO when the other side is closed
		close(t.drained)
	}()
	return nil
}

// resize gives the process's terminal the size of ours.
func (t *terminal) resize() {
	if t == nil || t.master == nil {
		return
	}
	if size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ); err == nil {
		unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, size)
	}
}

func (t *terminal) close() {
	if t == nil {
		return
	}
	if t.saved != nil {
		unix.IoctlSetTermios(0, unix.TCSETS, t.saved)
	}
	unix.Close(t.ours)
	unix.Close(t.theirs)
	if t.master != nil {
		t.master.Close()
	}
}
