//go:build weakened

package rootfs

import (
	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// The set-up that trusts every path, as runtimes once did. It is compiled only for TestWeakenedIsCaught: see trust.go.

func resolveFlags(string) uint64 { return 0 }

const procFlags = 0

const cutKind = unix.MS_SHARED

func null(root, out *int32) linux.Row {
	return linux.OpenTree(linux.FD(root), "dev/null", unix.OPEN_TREE_CLONE, out)
}

func notProcfs(*linux.Program, *int32) {}

// PrivateProc is the container's own, by its name.
func PrivateProc(p *linux.Program) (proc *int32) {
	p.At(stages.None, "the container's procfs")
	proc = linux.Cell(-1)
	p.Do(linux.Openat(linux.Cwd(), "/proc", unix.O_PATH|unix.O_DIRECTORY, proc))
	return proc
}
