package cgroup

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cgroup v2 has no device list. Instead a BPF program of type BPF_PROG_TYPE_CGROUP_DEVICE is attached to the group, and the kernel runs
// it at each open(2) and mknod(2) of a device node by the group's processes; its result 0 means EPERM (cgroup-v2.rst, "Device
// controller"; Linux 4.15). It lives as long as the group's directory: nothing is to be removed.

// The instructions used, of those in include/uapi/linux/bpf.h: code, registers, offset of a jump, immediate value. Each is eight bytes.
const (
	opLoad32  = 0x61 // dst = *(u32 *)(src + off)
	opMov     = 0xbf // dst = src
	opMovImm  = 0xb7 // dst = imm
	opAndImm  = 0x57 // dst &= imm
	opRshImm  = 0x77 // dst >>= imm
	opJumpEq  = 0x15 // if dst == imm skip off
	opJumpNe  = 0x55 // if dst != imm skip off
	opReturn  = 0x95 // return r0
	registers = 4    // bits per register in an instruction's second byte
)

// The registers. r1 is the argument: struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor }, where access_type is the
// access's bits << 16 | the device's type.
const (
	rResult = iota
	rContext
	rAsked // the access's bits that no rule has decided yet
	rKind
	rMajor
	rMinor
	rScratch
)

type program []byte

func (p *program) emit(code, dst, src byte, off int16, imm int32) {
	b := append(*p, code, src<<registers|dst)
	b = binary.NativeEndian.AppendUint16(b, uint16(off))
	*p = binary.NativeEndian.AppendUint32(b, uint32(imm))
}

// deviceProgram compiles the rules. The last rule that says something about a bit of the access decides it, so the program asks them from
// the last to the first: a matching "allow" takes its bits off the list, and an empty list is "yes"; a matching "deny" with a bit still
// on the list is "no". What no rule decided is allowed, as in a new v1 group.
func deviceProgram(rules []deviceRule) program {
	var p program
	p.emit(opLoad32, rKind, rContext, 0, 0)
	p.emit(opMov, rAsked, rKind, 0, 0)
	p.emit(opAndImm, rKind, 0, 0, 0xffff)
	p.emit(opRshImm, rAsked, 0, 0, 16)
	p.emit(opLoad32, rMajor, rContext, 4, 0)
	p.emit(opLoad32, rMinor, rContext, 8, 0)
	for _, rule := range slices.Backward(rules) {
		if rule.all() {
			p.result(rule.allow)
			return p // no earlier rule can matter, and the verifier refuses code that cannot be reached
		}
		p.rule(rule)
	}
	p.result(true)
	return p
}

func (p *program) result(allow bool) {
	p.emit(opMovImm, rResult, 0, 0, int32(map[bool]int{true: 1}[allow]))
	p.emit(opReturn, 0, 0, 0, 0)
}

// rule emits one rule as a block that is left by a jump to its end as soon as something does not match.
func (p *program) rule(r deviceRule) {
	type test struct {
		register byte
		value    int64
	}
	var tests []test
	switch r.kind {
	case 'b':
		tests = append(tests, test{rKind, 1}) // BPF_DEVCG_DEV_BLOCK
	case 'c':
		tests = append(tests, test{rKind, 2}) // BPF_DEVCG_DEV_CHAR
	}
	if r.major >= 0 {
		tests = append(tests, test{rMajor, r.major})
	}
	if r.minor >= 0 {
		tests = append(tests, test{rMinor, r.minor})
	}
	var tail program
	if r.allow {
		tail.emit(opAndImm, rAsked, 0, 0, int32(^r.access))
		tail.emit(opJumpNe, rAsked, 0, 2, 0) // over the result's two instructions
	} else {
		tail.emit(opMov, rScratch, rAsked, 0, 0)
		tail.emit(opAndImm, rScratch, 0, 0, int32(r.access))
		tail.emit(opJumpEq, rScratch, 0, 2, 0)
	}
	tail.result(r.allow)
	for i, t := range tests {
		rest := len(tests) - 1 - i + len(tail)/8
		p.emit(opJumpNe, t.register, 0, int16(rest), int32(t.value))
	}
	*p = append(*p, tail...)
}

// bpf(2)'s numbers.
const (
	bpfProgLoad         = 5
	bpfProgAttach       = 8
	bpfTypeCgroupDevice = 15 // BPF_PROG_TYPE_CGROUP_DEVICE
	bpfAttachDevice     = 6  // BPF_CGROUP_DEVICE
	bpfAllowMulti       = 2  // BPF_F_ALLOW_MULTI: programs of the ancestors keep their say
)

// attachDevices loads the program and attaches it to the group at dir.
func attachDevices(dir string, rules []deviceRule) error {
	prog := deviceProgram(rules)
	license := []byte("Apache-2.0\x00")
	load := struct { // union bpf_attr, the fields of BPF_PROG_LOAD up to log_buf
		progType, insnCount uint32
		insns, license      uint64
		logLevel, logSize   uint32
		logBuf              uint64
	}{progType: bpfTypeCgroupDevice, insnCount: uint32(len(prog) / 8), insns: address(prog), license: address(license)}
	fd, err := bpf(bpfProgLoad, unsafe.Pointer(&load), unsafe.Sizeof(load))
	runtime.KeepAlive(prog)
	runtime.KeepAlive(license)
	if err != nil {
		return fmt.Errorf("bpf(BPF_PROG_LOAD) of %d device rules: %w", len(rules), err)
	}
	defer unix.Close(fd) // the attachment holds the program

	group, err := openDir(dir)
	if err != nil {
		return err
	}
	defer group.Close()
	attach := struct{ target, prog, attachType, flags uint32 }{uint32(group.Fd()), uint32(fd), bpfAttachDevice, bpfAllowMulti}
	if _, err := bpf(bpfProgAttach, unsafe.Pointer(&attach), unsafe.Sizeof(attach)); err != nil {
		return fmt.Errorf("bpf(BPF_PROG_ATTACH): %w", err)
	}
	return nil
}

func address(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

func bpf(command uintptr, attr unsafe.Pointer, size uintptr) (int, error) {
	for {
		fd, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(attr), size)
		switch errno {
		case 0:
			return int(fd), nil
		case unix.EINTR, unix.EAGAIN: // the verifier gives up when a signal arrives, as Go's runtime sends them
		default:
			return -1, errno
		}
	}
}
