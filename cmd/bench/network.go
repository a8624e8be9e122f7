package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

const inNetwork = "HULL_BENCH_NETWORK"

// ownNetwork runs this program once more in a network namespace of its own and ends with its exit code, so that dockerd's bridges and
// rules stay out of the machine's. unshare(2) would move one thread only, and a Go program has several.
func ownNetwork() error {
	if os.Getenv(inNetwork) != "" {
		return nil
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inNetwork+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err // root is needed
	}
	os.Exit(cmd.ProcessState.ExitCode())
	return nil
}
