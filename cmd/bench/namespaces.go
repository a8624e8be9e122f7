package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

const inside = "HULL_BENCH_INSIDE"

// ownNamespaces runs this program once more in a network and a mount namespace of its own and ends with its exit code. unshare(2) would
// move one thread only, and a Go program has several.
func ownNamespaces() error {
	if os.Getenv(inside) != "" {
		return arrange()
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("own namespaces: %w (root is needed)", err)
	}
	os.Exit(cmd.ProcessState.ExitCode())
	return nil
}

// arrange makes the peers look installed, and hides what one of them cannot stand. All programs that are measured see the same.
func arrange() error {
	// mount(2), MS_PRIVATE: nothing of what follows reaches the machine's own mount namespace.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	for _, dir := range []string{"usr", "etc"} {
		// overlayfs without an upper layer: read-only, the peers' files before the machine's.
		if err := unix.Mount("overlay", "/"+dir, "overlay", unix.MS_RDONLY, "lowerdir="+toolsDir()+"/"+dir+":/"+dir); err != nil {
			return fmt.Errorf("the peers' files on /%s: %w (.ci/peers)", dir, err)
		}
	}
	// crun refuses a hybrid machine as long as the cgroup2 mount has a controller; without that mount everybody sees plain v1.
	if err := unix.Unmount("/sys/fs/cgroup/unified", unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("/sys/fs/cgroup/unified: %w", err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("lo: %w: %s", err, out)
	}
	return nil
}

func toolsDir() string {
	if tools := os.Getenv("HULL_TOOLS"); tools != "" {
		return tools
	}
	top, _ := os.Getwd()
	return top + "/.hull/tools"
}
