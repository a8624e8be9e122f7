package command_test

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// x32 is the bit that makes a number one of x32's table (__X32_SYSCALL_BIT).
const x32 = 0x4000_0000

// deniedElsewhere are calls by i386's table (int $0x80, which a 64-bit process can issue whenever it likes) and by x32's. Numbers of i386:
// Linux arch/x86/entry/syscalls/syscall_32.tbl.
var deniedElsewhere = []forbidden{
	{"int80 unshare(NEWUSER)", 310, [4]uintptr{unix.CLONE_NEWUSER}, unix.EPERM},
	{"int80 clone3", 435, [4]uintptr{}, unix.ENOSYS},
	{"int80 keyctl", 288, [4]uintptr{999}, unix.EPERM},
	{"int80 add_key", 286, [4]uintptr{}, unix.EPERM},
	{"int80 bpf", 357, [4]uintptr{999}, unix.EPERM},
	{"int80 mount", 21, [4]uintptr{}, unix.EPERM},
	{"int80 umount", 22, [4]uintptr{}, unix.EPERM},
	{"int80 umount2", 52, [4]uintptr{}, unix.EPERM},
	{"int80 pivot_root", 217, [4]uintptr{}, unix.EPERM},
	{"int80 setns", 346, [4]uintptr{0xffff}, unix.EPERM},
	{"int80 userfaultfd", 374, [4]uintptr{0xffff}, unix.EPERM},
	{"int80 perf_event_open", 336, [4]uintptr{}, unix.EPERM},
	{"int80 open_by_handle_at", 342, [4]uintptr{}, unix.EPERM},
	{"int80 reboot", 88, [4]uintptr{}, unix.EPERM},
	{"int80 init_module", 128, [4]uintptr{}, unix.EPERM},
	{"int80 kexec_load", 283, [4]uintptr{}, unix.EPERM},
	{"int80 socket(AF_ALG)", 359, [4]uintptr{sockALG, unix.SOCK_SEQPACKET}, unix.EPERM},
	{"int80 socket(AF_VSOCK)", 359, [4]uintptr{sockVSOCK, unix.SOCK_STREAM}, unix.EPERM},
	{"x32 unshare(NEWUSER)", x32 | unix.SYS_UNSHARE, [4]uintptr{unix.CLONE_NEWUSER}, unix.EPERM},
	{"x32 clone3", x32 | unix.SYS_CLONE3, [4]uintptr{}, unix.ENOSYS},
	{"x32 keyctl", x32 | unix.SYS_KEYCTL, [4]uintptr{999}, unix.EPERM},
	{"x32 bpf", x32 | unix.SYS_BPF, [4]uintptr{999}, unix.EPERM},
	{"x32 mount", x32 | unix.SYS_MOUNT, [4]uintptr{}, unix.EPERM},
	{"x32 setns", x32 | unix.SYS_SETNS, [4]uintptr{0xffff}, unix.EPERM},
	{"x32 kexec_load", x32 | 528, [4]uintptr{}, unix.EPERM},
	{"x32 socket(AF_ALG)", x32 | unix.SYS_SOCKET, [4]uintptr{sockALG, unix.SOCK_SEQPACKET}, unix.EPERM},
}

func elsewhere(nr uintptr, a [4]uintptr) unix.Errno {
	if nr >= x32 {
		_, _, errno := unix.RawSyscall(nr, a[0], a[1], a[2])
		return errno
	}
	return int80(uint32(nr), uint32(a[0]), uint32(a[1]), uint32(a[2]))
}

// int80 makes a call of i386's table: a page of machine code, because the Go assembler's files would be part of the package itself.
func int80(nr, a, b, c uint32) unix.Errno {
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		panic(err)
	}
	defer unix.Munmap(page)
	code := []byte{0x53} // push rbx
	for _, move := range []struct {
		op    byte // mov r32, imm32
		value uint32
	}{{0xb8, nr}, {0xbb, a}, {0xb9, b}, {0xba, c}} { // eax, ebx, ecx, edx
		code = binary.LittleEndian.AppendUint32(append(code, move.op), move.value)
	}
	code = append(code,
		0x31, 0xf6, // xor esi, esi
		0x31, 0xff, // xor edi, edi
		0xcd, 0x80, // int 0x80
		0x48, 0x63, 0xc0, // movsxd rax, eax
		0x5b, // pop rbx
		0xc3) // ret
	copy(page, code)
	entry := &page[0]
	closure := &entry // a func value points to the address of its code
	result := (*(*func() int)(unsafe.Pointer(&closure)))()
	if result < 0 {
		return unix.Errno(-result)
	}
	return 0
}
