package process

import (
	"hull/stages"

	"golang.org/x/sys/unix"
)

// SendPIDFD sends a pidfd to the socket of --pidfd-socket (unix(7), SCM_RIGHTS). The text beside it says what kind of process it is of, in
// runc's words: "standard" is a container's first one, "setns" one that joined.
func SendPIDFD(path string, pidfd int, kind string) error {
	fd, err := connect("--pidfd-socket", path)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := Pass(fd, []byte(kind), pidfd); err != nil {
		return &stages.Error{Kind: stages.Internal, Thing: "--pidfd-socket " + path, Err: err}
	}
	return nil
}
