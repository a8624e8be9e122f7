package confine

import (
	"errors"
	"os"
	"strings"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Labels are what a security module confines the process by: an AppArmor profile (apparmor(7)), an SELinux context (selinux(8)).
type Labels struct{ apparmor, selinux string }

// ParseLabels reads the process's labels. One for a module that this kernel does not run is refused: the process would be confined by
// nothing.
func ParseLabels(p *specs.Process) (Labels, error) {
	refuse := func(field, why string) (Labels, error) {
		return Labels{}, &stages.Error{Step: stages.RuncCreate, Kind: stages.Unsupported, Thing: field, Err: errors.New(why)}
	}
	switch {
	case p.ApparmorProfile != "" && !runsAppArmor():
		return refuse("process.apparmorProfile", "this kernel does not run AppArmor")
	case p.SelinuxLabel != "" && !runsSELinux():
		return refuse("process.selinuxLabel", "this kernel does not run SELinux")
	}
	return Labels{apparmor: p.ApparmorProfile, selinux: p.SelinuxLabel}, nil
}

// AppArmor's switch says Y when the kernel has it and it was not turned off at boot.
func runsAppArmor() bool {
	text, err := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	return err == nil && strings.HasPrefix(string(text), "Y")
}

// SELinux has a file system, which is mounted where it is in use.
func runsSELinux() bool {
	const magic = 0xf97cff8c // SELINUX_MAGIC, include/uapi/linux/magic.h
	var fs unix.Statfs_t
	return unix.Statfs("/sys/fs/selinux", &fs) == nil && uint32(fs.Type) == magic
}

// None reports whether there is no label to write.
func (l Labels) None() bool { return l == Labels{} }

// Apply appends the rows that say which labels the next execve(2) gives the process; until then it keeps the runtime's. proc is the cell
// of a procfs of our own: on an image's, the write could go to a file that only looks right (CVE-2019-16884).
func (l Labels) Apply(p *linux.Program, proc *int32) {
	const resolve = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV
	attr := linux.Cell(-1)
	if l.apparmor != "" {
		p.At(stages.None, "process.apparmorProfile")
		p.Do(
			// The module's own directory (Linux 5.8); without it the file is the only module's (proc_pid_attr(5)).
			linux.Openat2(linux.FD(proc), "self/attr/apparmor/exec", unix.O_WRONLY, resolve, attr).Or(unix.ENOENT).Skip(1, 0),
			linux.Openat2(linux.FD(proc), "self/attr/exec", unix.O_WRONLY, resolve, attr),
			linux.Write(linux.FD(attr), "exec "+l.apparmor),
			linux.Close(linux.FD(attr)),
		)
	}
	if l.selinux != "" {
		p.At(stages.None, "process.selinuxLabel")
		p.Do(
			linux.Openat2(linux.FD(proc), "self/attr/exec", unix.O_WRONLY, resolve, attr),
			linux.Write(linux.FD(attr), l.selinux),
			linux.Close(linux.FD(attr)),
		)
	}
}
