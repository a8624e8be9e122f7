package probe

import (
	"encoding/binary"
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

func tracing() topic {
	return topic{"tracing", []probe{
		{"BTF", false, btf, "no kernel side in traces: claims only, none is proved", "a kernel with CONFIG_DEBUG_INFO_BTF"},
		{"BPF raw tracepoints", false, rawTracepoint, "no kernel side in traces: claims only, none is proved", "CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, in the first user namespace"},
		{"BPF ring buffer", false, func() (string, error) { return "", ringBuffer() }, "no kernel side in traces: claims only, none is proved", "Linux 5.8"},
	}}
}

func btf() (string, error) {
	f, err := os.Open("/sys/kernel/btf/vmlinux")
	if err != nil {
		return "", err
	}
	defer f.Close()
	var magic [2]byte
	if _, err := f.Read(magic[:]); err != nil {
		return "", err
	}
	if binary.NativeEndian.Uint16(magic[:]) != 0xeb9f {
		return "", errors.New("/sys/kernel/btf/vmlinux is no BTF")
	}
	return "", nil
}

// Program types (bpf(2), include/uapi/linux/bpf.h).
const (
	bpfCgroupDevice  = unix.BPF_PROG_TYPE_CGROUP_DEVICE
	bpfRawTracepoint = unix.BPF_PROG_TYPE_RAW_TRACEPOINT
)

// bpf is bpf(2), for which x/sys has no wrapper.
func bpf[T any](cmd int, attr *T) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), pointer(attr), unsafe.Sizeof(*attr))
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// load loads the smallest program of a type: return 0.
func load(kind uint32) (int, error) {
	code := [2]uint64{0xb7, 0x95} // r0 = 0; exit
	license := []byte("GPL\x00")
	attr := struct {
		kind, count           uint32
		insns, license        uint64
		logLevel, logSize     uint32
		log                   uint64
		kernVersion, progFlag uint32
	}{kind: kind, count: 2, insns: uint64(pointer(&code[0])), license: uint64(pointer(&license[0]))}
	fd, err := bpf(unix.BPF_PROG_LOAD, &attr)
	return fd, named("bpf: load", err)
}

func bpfLoad(kind uint32) error {
	fd, err := load(kind)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// rawTracepoint attaches a program to a tracepoint that hull-trace uses. The link is gone with its descriptor.
func rawTracepoint() (string, error) {
	prog, err := load(bpfRawTracepoint)
	if err != nil {
		return "", err
	}
	defer unix.Close(prog)
	name := []byte("sched_process_exit\x00")
	attr := struct {
		name uint64
		prog uint32
		_    uint32
	}{name: uint64(pointer(&name[0])), prog: uint32(prog)}
	link, err := bpf(unix.BPF_RAW_TRACEPOINT_OPEN, &attr)
	if err == nil {
		unix.Close(link)
	}
	return "", named("bpf: attach", err)
}

func ringBuffer() error {
	attr := struct{ kind, key, value, entries uint32 }{kind: unix.BPF_MAP_TYPE_RINGBUF, entries: uint32(os.Getpagesize())}
	fd, err := bpf(unix.BPF_MAP_CREATE, &attr)
	if err == nil {
		unix.Close(fd)
	}
	return named("bpf: map", err)
}
