package probetest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// StartTied starts a program that is killed when the test's process ends, however it ends (prctl(2), PR_SET_PDEATHSIG). The signal comes when the
// thread that forked ends, not the process: so this thread is kept for nothing else. Another one could be given to a goroutine that changes
// namespaces and takes its thread with it.
func StartTied(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		select {}
	}()
	return <-started
}
