package stdio

import (
	"errors"
	"os"
	"syscall"
	"time"

	"hull/shim/reap"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// startLogger runs a foreign logging program by containerd's contract (core/runtime/v2/README.md, "Logging"): each key and value of the
// URI's query are two arguments; the streams' reading ends are descriptors 3 and 4; it closes 5 when it is ready. The container's output
// flows to it directly, the shim copies nothing.
func startLogger(s Spec, t target, out, errs *os.File, reaper *reap.Reaper) (*reap.Child, error) {
	argv := []string{t.path}
	for key, values := range t.query {
		argv = append(argv, key)
		if len(values) > 0 && values[0] != "" {
			argv = append(argv, values[0])
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	var ready [2]int
	if err := unix.Pipe2(ready[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	if err := unix.SetNonblock(ready[0], true); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	wait := os.NewFile(uintptr(ready[0]), "ready")
	defer wait.Close()
	child, err := reaper.Start(argv[0], argv, &syscall.ProcAttr{
		Env:   append(os.Environ(), "CONTAINER_ID="+s.ID, "CONTAINER_NAMESPACE="+s.Namespace),
		Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), out.Fd(), errs.Fd(), uintptr(ready[1])},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	unix.Close(ready[1])
	if err != nil {
		return nil, stepError(stages.NotFound, t.path, err)
	}
	reaper.Settled()
	wait.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := wait.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		child.Signal(unix.SIGKILL)
		return nil, stepError(stages.Unavailable, t.path, errors.New("the logging program is not ready after 10 s"))
	}
	return child, nil
}
