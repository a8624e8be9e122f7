package rootfs

import (
	"path"
	"strings"

	"hull/runc/linux"

	"golang.org/x/sys/unix"
)

// relative is the path below the root: clean, without a leading slash, never with "..". The root itself is ".".
func relative(p string) string {
	if rel := path.Clean("/" + p)[1:]; rel != "" {
		return rel
	}
	return "."
}

// open is the row that opens an existing path inside the root, as a place (O_PATH).
func open(root *int32, p string, flags int, out *int32) linux.Row {
	rel := relative(p)
	return linux.Openat2(linux.FD(root), rel, unix.O_PATH|flags, resolveFlags(rel), out)
}

// reach appends the rows that open a path inside the root, and that make it first where it is missing: directories on the way, and a
// directory or an empty file at the end. The answer is the cell of its descriptor.
func reach(prog *linux.Program, root *int32, p string, dir bool) *int32 {
	flags := 0
	if dir {
		flags = unix.O_DIRECTORY
	}
	rel := relative(p)
	out := linux.Cell(-1)
	if rel == "." {
		prog.Do(open(root, rel, flags, out))
		return out
	}
	parts := strings.Split(rel, "/")
	making := 3*(len(parts)-1) + 2
	prog.Do(open(root, rel, flags, out).Or(unix.ENOENT).Skip(making, 0))
	parent := root
	for i, name := range parts[:len(parts)-1] {
		prefix := strings.Join(parts[:i+1], "/")
		next := linux.Cell(-1)
		prog.Do(
			open(root, prefix, unix.O_DIRECTORY, next).Or(unix.ENOENT).Skip(2, 0),
			linux.Mkdirat(linux.FD(parent), name, 0o755).Or(unix.EEXIST),
			open(root, prefix, unix.O_DIRECTORY, next),
		)
		parent = next
	}
	name := parts[len(parts)-1]
	if dir {
		prog.Do(linux.Mkdirat(linux.FD(parent), name, 0o755).Or(unix.EEXIST))
	} else {
		// mknod(2) of a regular file is open(2) with O_CREAT|O_EXCL that leaves no descriptor.
		prog.Do(linux.Mknodat(linux.FD(parent), name, unix.S_IFREG|0o644, 0).Or(unix.EEXIST))
	}
	prog.Do(open(root, rel, flags, out))
	return out
}

// EnsureDir makes the directory where it is missing, as the working directory must be (the image may not have it).
func EnsureDir(prog *linux.Program, root *int32, p string) *int32 { return reach(prog, root, p, true) }

// Dir opens a directory that is there.
func Dir(prog *linux.Program, root *int32, p string) *int32 {
	out := linux.Cell(-1)
	prog.Do(open(root, relative(p), unix.O_DIRECTORY, out))
	return out
}

// File makes the empty file where it is missing, as a place to mount on.
func File(prog *linux.Program, root *int32, p string) *int32 { return reach(prog, root, p, false) }
