package confine

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// execveat is execveat(2), Linux 3.19. It returns only on error. The calling thread is the last one the kernel keeps.
func execveat(dir int, path string, flags int, argv, envp []string) error {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	args, err := vector(argv)
	if err != nil {
		return err
	}
	env, err := vector(envp)
	if err != nil {
		return err
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(dir), uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&env[0])), uintptr(flags), 0)
	runtime.KeepAlive(args)
	runtime.KeepAlive(env)
	return fmt.Errorf("execveat %s: %w", path, errno)
}

func vector(list []string) ([]*byte, error) {
	v := make([]*byte, len(list)+1)
	for i, s := range list {
		p, err := unix.BytePtrFromString(s)
		if err != nil {
			return nil, err
		}
		v[i] = p
	}
	return v, nil
}
