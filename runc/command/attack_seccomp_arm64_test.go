package command_test

import "golang.org/x/sys/unix"

var deniedElsewhere []forbidden

func elsewhere(uintptr, [4]uintptr) unix.Errno { return unix.ENOSYS }
