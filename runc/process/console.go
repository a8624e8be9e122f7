package process

import (
	"unsafe"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// ConsoleSocket connects to the socket over which the terminal's master is to be sent.
func ConsoleSocket(path string) (fd int, err error) { return connect("--console-socket", path) }

// connect connects to a UNIX socket of the caller's, which a flag names.
func connect(flag, path string) (fd int, err error) {
	refuse := func(err error) (int, error) {
		return -1, &stages.Error{Kind: stages.Invalid, Thing: flag + " " + path, Err: err}
	}
	if fd, err = Dial(path); err != nil {
		return refuse(err)
	}
	return fd, nil
}

// Console appends the rows of the terminal: a new pair from the container's own devpts, so that its name is true inside; the master goes
// to the caller over the socket, the slave becomes standard input, output and error. place opens (and makes) a file inside the root, for
// /dev/console; nil leaves that alone.
func Console(p *linux.Program, root *int32, socket int, size *specs.Box, uid uint32, place func(path string) *int32) {
	p.At(stages.RuncInitConsole, "")
	slave := linux.Cell(-1)
	message, master := passing("/dev/ptmx")
	unlock := new(int32)
	const noLinks = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_SYMLINKS
	p.Do(
		linux.Openat2(linux.FD(root), "dev/pts/ptmx", unix.O_RDWR|unix.O_NOCTTY, noLinks, master),
		linux.Ioctl(linux.FD(master), unix.TIOCSPTLCK, linux.Mem(unlock), nil),
		// TIOCGPTPEER (ioctl_tty(2), Linux 4.13) opens the slave without a path: nothing can be swapped in (CVE-2025-52565).
		linux.Ioctl(linux.FD(master), unix.TIOCGPTPEER, linux.Num(unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC), slave),
	)
	if size != nil {
		p.Do(linux.Ioctl(linux.FD(master), unix.TIOCSWINSZ, linux.Mem(&unix.Winsize{Row: uint16(size.Height), Col: uint16(size.Width)}), nil))
	}
	if uid != 0 {
		p.Do(linux.Fchown(linux.FD(slave), int(uid), -1))
	}
	if place != nil {
		target, bound := place("/dev/console"), linux.Cell(-1)
		p.Do(
			linux.OpenTree(linux.FD(slave), "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE, bound),
			linux.MoveMount(linux.FD(bound), linux.FD(target)),
		)
	}
	p.Do(
		linux.Sendmsg(linux.Num(socket), message),
		linux.Close(linux.FD(master)), // the caller's alone: its closing must hang up the terminal
		linux.Dup3(linux.FD(slave), 0, 0),
		linux.Dup3(linux.FD(slave), 1, 0),
		linux.Dup3(linux.FD(slave), 2, 0),
	)
}

// Controlling appends the row by which the leader of a session takes its standard input as the controlling terminal: from then on ^C is a
// signal (ioctl_tty(2), TIOCSCTTY).
func Controlling(p *linux.Program) {
	p.At(stages.RuncInitConsole, "")
	p.Do(linux.Ioctl(linux.Num(0), unix.TIOCSCTTY, linux.Num(0), nil))
}

// passing is a message with one descriptor in it (unix(7), SCM_RIGHTS), and the cell inside the message that a row fills in.
func passing(name string) (*unix.Msghdr, *int32) {
	text := append([]byte(name), 0)
	iov := &unix.Iovec{Base: &text[0]}
	iov.SetLen(len(name))
	control := unix.UnixRights(0)
	msg := &unix.Msghdr{Iov: iov, Control: &control[0]}
	msg.SetIovlen(1)
	msg.SetControllen(len(control))
	return msg, (*int32)(unsafe.Pointer(&control[unix.CmsgLen(0)]))
}
