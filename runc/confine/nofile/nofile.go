// Package nofile remembers the soft limit of open files with which this program was started. Package syscall raises it to the hard limit
// when it is initialised (Go 1.19), and puts it back only for children that it starts itself; a raw clone would hand the raised one to
// the container.
//
// The trap: this package must be initialised before syscall. Go initialises, of all packages that are ready, the one whose path sorts
// first (language specification, "Package initialization"; Go 1.21), and a package that imports nothing is ready at once. So it imports
// nothing, and makes its one system call in assembly. A test starts the runtime under a limit of its own and looks inside.
package nofile

// A Limit is struct rlimit (getrlimit(2)).
type Limit struct{ Cur, Max uint64 }

// Original is the limit at the program's start; zero if it could not be read.
var Original = get()

func get() Limit {
	var l Limit
	if prlimit(&l) != 0 {
		return Limit{}
	}
	return l
}

// prlimit is prlimit64(0, RLIMIT_NOFILE, NULL, old); the answer is 0 or a negative errno.
//
//go:noescape
func prlimit(old *Limit) int
