package seccomp

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

func own(nr uint32) unix.Errno {
	_, _, errno := unix.RawSyscall(uintptr(nr), 0, 0, 0)
	return errno
}

var askers = map[string]asker{
	"x86-64": {func(nr uint32) call { return call{nr: nr, arch: unix.AUDIT_ARCH_X86_64} }, own},
	"x32": {
		func(nr uint32) call { return call{nr: x32Bit | nr, arch: unix.AUDIT_ARCH_X86_64} },
		func(nr uint32) unix.Errno { return own(x32Bit | nr) },
	},
	"i386": {func(nr uint32) call { return call{nr: nr, arch: unix.AUDIT_ARCH_I386} }, int80},
}

// page holds int80's machine code; it is made before the filter is there.
var page, _ = unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)

// int80 makes a call of i386's table, which a 64-bit process can do whenever it likes. Machine code, because an assembler's file would be part
// of the package itself.
func int80(nr uint32) unix.Errno {
	code := binary.LittleEndian.AppendUint32([]byte{0x53, 0xb8}, nr) // push rbx; mov eax, nr
	code = append(code,
		0x31, 0xdb, // xor ebx, ebx
		0x31, 0xc9, // xor ecx, ecx
		0x31, 0xd2, // xor edx, edx
		0xcd, 0x80, // int 0x80
		0x48, 0x63, 0xc0, // movsxd rax, eax
		0x5b, // pop rbx
		0xc3) // ret
	copy(page, code)
	entry := &page[0]
	closure := &entry // a func value points to the address of its code
	if result := (*(*func() int)(unsafe.Pointer(&closure)))(); result < 0 {
		return unix.Errno(-result)
	}
	return 0
}
