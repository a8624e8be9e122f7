// Package seccomp: stand-in until the branch confine brings the real one.
package seccomp

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

type Filter struct {
	Insns []unix.SockFilter
	Flags uint
}

func Compile(p *specs.LinuxSeccomp) (Filter, error) {
	return Filter{Insns: []unix.SockFilter{{Code: 6, K: 0x7fff0000}}}, nil
}
