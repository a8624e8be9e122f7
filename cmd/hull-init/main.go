// hull-init is the first process of a container with --init. Pid 1 of a pid namespace has two duties that ordinary programs do not know of:
// orphans become its children and must be waited for, or they stay as zombies; and a signal that it does not handle does not even kill it
// (pid_namespaces(7)). So the program is a child of this process, which passes signals on, waits for whoever ends, and exits as the
// program did.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: hull-init [--] PROGRAM [ARG...]")
		os.Exit(125)
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals) // before there is a child: none is lost
	path, err := exec.LookPath(args[0])
	var child *os.Process
	if err == nil {
		// A process group of its own, and the terminal's foreground if there is one: ^C then is the program's, not ours (setpgid(2), tcsetpgrp(3)).
		_, err := unix.IoctlGetTermios(0, unix.TCGETS)
		child, err = os.StartProcess(path, args, &os.ProcAttr{
			Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: &syscall.SysProcAttr{Setpgid: true, Foreground: err == nil},
		})
		fatal(args[0], err)
	}
	fatal(args[0], err)
	for got := range signals {
		switch got {
		case unix.SIGCHLD:
			reap(child.Pid)
		case unix.SIGURG, unix.SIGTTIN, unix.SIGTTOU: // the Go scheduler's, and those of a process outside the foreground
		default:
			child.Signal(got)
		}
	}
}

// reap waits for every child that has ended. With the program itself this process ends, and the kernel kills what is left in the namespace.
func reap(program int) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
		case err != nil || pid == 0:
			return
		case pid == program && status.Signaled():
			os.Exit(128 + int(status.Signal()))
		case pid == program && status.Exited():
			os.Exit(status.ExitStatus())
		}
	}
}

// fatal ends with docker's codes: 127 for a program that is not there, 126 for one that cannot be executed.
func fatal(name string, err error) {
	if err == nil {
		return
	}
	fmt.Fprintf(os.Stderr, "hull-init: exec %s: %v\n", name, err)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		os.Exit(127)
	}
	os.Exit(126)
}
