package command

import (
	"errors"
	"os"
	"os/signal"
	"sync"

	"hull/shim/stdio"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// logger is the logging program of a foreign shim: the container's stdout is descriptor 3, its stderr 4, and closing 5 says that we are
// ready. It ends when both streams have ended.
func logger(args []string) error {
	// A foreign shim sends its logger SIGTERM as soon as the container has ended (containerd, cmd/containerd-shim-runc-v2/process/io.go): what
	// is still in the pipes then is the container's last output. The end of the streams is our end, nothing else.
	signal.Ignore(unix.SIGTERM)
	paths := map[string]string{}
	for ; len(args) >= 2; args = args[2:] {
		if args[0] != "log" && args[0] != "attach" {
			return &stages.Error{Step: stages.ShimStdioOpen, Kind: stages.Invalid, Thing: args[0], Err: errors.New("not log or attach")}
		}
		paths[args[0]] = args[1]
	}
	if len(args) != 0 {
		return &stages.Error{Step: stages.ShimStdioOpen, Kind: stages.Invalid, Thing: args[0], Err: errors.New("no path follows")}
	}
	// A foreign shim sends SIGTERM when it has closed the pipes, and output may still be in them: their end is what ends us.
	signal.Notify(make(chan os.Signal, 1), unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE)
	log, err := stdio.NewLog(paths["log"], paths["attach"])
	if err != nil {
		return err
	}
	defer log.Close()
	var copies sync.WaitGroup
	for i, stream := range []byte{stdio.Stdout, stdio.Stderr} {
		if err := unix.SetNonblock(3+i, true); err != nil { // the reading end's description is ours alone
			return os.NewSyscallError("fcntl", err)
		}
		f := os.NewFile(uintptr(3+i), "stream")
		copies.Go(func() { log.Copy(stream, f) })
	}
	if err := unix.Close(5); err != nil {
		return os.NewSyscallError("close", err)
	}
	copies.Wait()
	return nil
}
