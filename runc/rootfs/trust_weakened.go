//go:build weakened

package rootfs

import (
	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// The set-up that trusts every path, as runtimes once did. It is compiled only for the tests TestAttack…Weakened: see trust.go.

func resolveFlags(string) uint64 { return 0 }

const procFlags = 0

const cutBelow = 0

func null(p *linux.Program, root, out *int32) {
	p.Do(
		linux.OpenTree(linux.FD(root), "dev/null", unix.OPEN_TREE_CLONE, out).Or(unix.ENOENT, unix.ENOTDIR).Skip(1, 0),
		linux.OpenTree(linux.Cwd(), "/dev/null", unix.OPEN_TREE_CLONE, out),
	)
}

func notProcfs(*linux.Program, *int32) {}

// PrivateProc is the container's own, by its name; without a root, the host's.
func PrivateProc(p *linux.Program, root *int32) (proc *int32) {
	p.At(stages.None, "the container's procfs")
	proc = linux.Cell(-1)
	from, name := linux.Cwd(), "/proc"
	if root != nil {
		from, name = linux.FD(root), "proc"
	}
	p.Do(linux.Openat(from, name, unix.O_PATH|unix.O_DIRECTORY, proc))
	return proc
}
