package seccomp

//go:generate go test -run ^TestTheTableIsXSysTable$ -update .

import (
	"slices"
	"strings"
)

// A syscall is one row of the table: a name and its number on each architecture.
type syscall struct {
	name string
	nr   [columns]int32
}

// The columns of the table.
const (
	columnAMD64 = iota
	columnX86
	columnX32
	columnARM64
	columnARM
	columns
)

// number finds a system call's number, or false if the architecture has none of that name.
func number(name string, column int) (uint32, bool) {
	i, ok := slices.BinarySearchFunc(syscalls[:], name, func(s syscall, name string) int { return strings.Compare(s.name, name) })
	if !ok || syscalls[i].nr[column] < 0 {
		return 0, false
	}
	return uint32(syscalls[i].nr[column]), true
}
