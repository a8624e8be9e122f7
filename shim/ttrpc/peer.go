package ttrpc

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// checkPeer lets root and our own user in. The socket's mode does so as well; a mode can be changed, and a descriptor handed on.
// SO_PEERCRED says who the peer was when it connected. unix(7)
func checkPeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, os.NewSyscallError("getsockopt", failed)); err != nil {
		return err
	}
	if cred.Uid != 0 && int(cred.Uid) != os.Geteuid() {
		return fmt.Errorf("peer of user %d: %w", cred.Uid, unix.EACCES)
	}
	return nil
}
