package bpf

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A record is a system call's raw event and its strings, if it has any.
type record struct {
	*hullEvent
	text *hullTextEvent
}

// An arg is one named argument and how it is read. An empty string leaves it out.
type arg struct {
	key    string
	decode func(*record) string
}

func str(i int) func(*record) string {
	return func(r *record) string { return r.text.str(i) }
}

// pathOr is the path that was found from a descriptor, or else argument i as it was given.
func pathOr(i int) func(*record) string {
	return func(r *record) string {
		if path := r.text.str(fdPath); path != "" {
			return path
		}
		return r.text.str(i)
	}
}

func num(i int) func(*record) string {
	return func(r *record) string { return strconv.FormatInt(int64(int32(r.Args[i])), 10) }
}

func name(i int, names map[uint64]string) func(*record) string {
	return func(r *record) string {
		v := uint64(uint32(r.Args[i]))
		if n, ok := names[v]; ok {
			return n
		}
		return strconv.FormatUint(v, 10)
	}
}

func bits(i int, names []flag) func(*record) string {
	return func(r *record) string { return flagNames(names, uint64(uint32(r.Args[i]))) }
}

func blobBits(at int, names []flag) func(*record) string {
	return func(r *record) string {
		if int(r.BlobLen) < at+8 {
			return ""
		}
		return flagNames(names, binary.NativeEndian.Uint64(r.Blob[at:]))
	}
}

func limit(at int) func(*record) string {
	return func(r *record) string {
		if int(r.BlobLen) < at+8 {
			return ""
		}
		if v := binary.NativeEndian.Uint64(r.Blob[at:]); v != unix.RLIM_INFINITY {
			return strconv.FormatUint(v, 10)
		}
		return "unlimited"
	}
}

func fileMode(i int) func(*record) string {
	return func(r *record) string {
		mode := uint32(r.Args[i])
		kind := map[uint32]string{unix.S_IFCHR: "c ", unix.S_IFBLK: "b ", unix.S_IFIFO: "p "}[mode&unix.S_IFMT]
		return fmt.Sprintf("%s%04o", kind, mode&0o7777)
	}
}

func device(i int) func(*record) string {
	return func(r *record) string { return fmt.Sprintf("%d:%d", unix.Major(r.Args[i]), unix.Minor(r.Args[i])) }
}

// capabilities reads one of capset's three sets, in either word of each: they are 32 bits wide and 12 bytes apart.
func capabilities(at int) func(*record) string {
	return func(r *record) string {
		if r.BlobLen < 24 {
			return ""
		}
		set := uint64(binary.NativeEndian.Uint32(r.Blob[at:])) | uint64(binary.NativeEndian.Uint32(r.Blob[at+12:]))<<32
		if set == 0 {
			return "none"
		}
		return flagNames(capabilityNames, set)
	}
}

func fileSystem(r *record) string { return text(r.text.Name[:r.text.NameLen]) }

// unixPath is connect's path. Our own programs name long ones through /proc/self/fd/N; abstract names begin with @.
func unixPath(r *record) string {
	b := r.text.Text[0][:r.text.Len[0]]
	if len(b) < 3 || binary.NativeEndian.Uint16(b) != unix.AF_UNIX {
		return ""
	}
	if b[2] == 0 {
		return "@" + text(b[3:])
	}
	return text(b[2:])
}

func inetAddress(r *record) string {
	b := r.text.Text[0][:r.text.Len[0]]
	if len(b) < 8 {
		return ""
	}
	port := binary.BigEndian.Uint16(b[2:])
	switch binary.NativeEndian.Uint16(b) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port).String()
	case unix.AF_INET6:
		if len(b) >= 24 {
			return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])), port).String()
		}
	}
	return ""
}

func other(r *record) string {
	if r.Other == 0 {
		return ""
	}
	return strconv.Itoa(int(r.Other))
}

func result(r *record) string { return strconv.FormatInt(r.Ret, 10) }

func waitStatus(r *record) string {
	if r.BlobLen < 4 {
		return ""
	}
	return strconv.Itoa(exitCode(binary.NativeEndian.Uint32(r.Blob[:])))
}

// siginfo_t of a child: si_code at 8, si_pid at 16, si_status at 24 (sigaction(2); 64-bit layout).
func siginfoPID(r *record) string {
	if r.BlobLen < 32 {
		return ""
	}
	return strconv.Itoa(int(binary.NativeEndian.Uint32(r.Blob[16:])))
}

func siginfoStatus(r *record) string {
	if r.BlobLen < 32 {
		return ""
	}
	status := int(binary.NativeEndian.Uint32(r.Blob[24:]))
	if code := binary.NativeEndian.Uint32(r.Blob[8:]); code == 2 || code == 3 { // CLD_KILLED, CLD_DUMPED
		status += 128
	}
	return strconv.Itoa(status)
}

// A flag is one bit (or a few) with its name.
type flag struct {
	bits uint64
	name string
}

// flagNames is a set of flags as "A|B|0x4", what has no name in hexadecimal; "" for none.
func flagNames(names []flag, v uint64) string {
	var parts []string
	for _, f := range names {
		if v&f.bits == f.bits && f.bits != 0 {
			parts = append(parts, f.name)
			v &^= f.bits
		}
	}
	if v != 0 {
		parts = append(parts, "0x"+strconv.FormatUint(v, 16))
	}
	return strings.Join(parts, "|")
}

func errnoName(n int) string {
	if s := unix.ErrnoName(unix.Errno(n)); s != "" {
		return s
	}
	return strconv.Itoa(n)
}

func signalName(n int) string {
	if s := unix.SignalName(unix.Signal(n)); s != "" {
		return s
	}
	return strconv.Itoa(n)
}
