// Package nofile remembers the soft limit of open files with which this program was started. Package os raises it to the hard limit
// when it is initialised (Go 1.19), and puts it back only for children that os/exec starts; a raw clone would hand the raised one to the
// container.
//
// The trap: this package must be initialised before os. Go initialises, of all packages that are ready, the one whose path sorts first
// (language specification, "Program initialization", Go 1.21). "hull/…" sorts before "os", so importing nothing but syscall is enough,
// and importing anything that needs os would undo it. A test starts the runtime with a limit of its own and looks inside.
package nofile

import "syscall"

// Original is the limit at the program's start; zero if it could not be read.
var Original = get()

func get() (l syscall.Rlimit) {
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return syscall.Rlimit{}
	}
	return l
}
