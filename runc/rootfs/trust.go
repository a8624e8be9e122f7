//go:build !weakened

package rootfs

import (
	"strings"

	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// Whom the set-up trusts: the host, and nothing that a container, an image or a volume could have put in a path's way. This file is
// all of it, and the attacks of attack_test.go break on it: trust_weakened.go is the same without the protection, and with that
// `go test -tags weakened` fails.

// resolveFlags is how a path inside the root is walked. RESOLVE_IN_ROOT keeps absolute links and ".." inside, NO_MAGICLINKS refuses
// /proc/self/fd/N and its like (openat2(2), Linux 5.6).
func resolveFlags(rel string) uint64 {
	flags := uint64(unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS)
	switch first, _, _ := strings.Cut(rel, "/"); first {
	case "dev", "proc", "sys":
		// Here the runtime itself writes; a link would redirect it (CVE-2019-19921, CVE-2026-41579).
		flags |= unix.RESOLVE_NO_SYMLINKS
	}
	return flags
}

// procFlags is how a file of a procfs is opened: the place itself, nothing mounted on it, nothing that a link leads to.
const procFlags = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV

// cutBelow: see [Wanted.Cut].
const cutBelow = unix.MS_REC

// null appends the row that takes a copy of /dev/null: the host's, never the container's, which an image or a shared volume could have
// exchanged (CVE-2025-31133).
func null(p *linux.Program, _, out *int32) {
	p.Do(linux.OpenTree(linux.Cwd(), "/dev/null", unix.OPEN_TREE_CLONE, out))
}

// notProcfs appends the rows that refuse a place to mount on that turned out to be in a procfs: a link in the image led there, and what
// is mounted would hide a part of the kernel's answers (CVE-2019-19921).
func notProcfs(p *linux.Program, target *int32) {
	var st unix.Statfs_t
	p.Do(linux.Fstatfs(linux.FD(target), &st), linux.Unless(&st.Type, unix.PROC_SUPER_MAGIC, unix.ELOOP))
}

// PrivateProc appends the rows that mount a procfs which is attached nowhere. What is written or opened through its descriptor is procfs
// for certain: nothing can be mounted over a part of it (CVE-2025-52881). The caller must be in the new pid namespace.
func PrivateProc(p *linux.Program, _ *int32) (proc *int32) {
	p.At(stages.None, "procfs of our own")
	return newFilesystem(p, "proc", "proc", options{set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC})
}
