#include "textflag.h"

// func cloneShared(args *cloneArgs, size uintptr, c *child) (pid, errno uintptr)
//
// clone3(2) with CLONE_VM. The parent returns; the child wakes up on the stack that args names, where there is nothing to return to, and
// walks its rows. The kernel keeps all registers but AX, CX and R11, so R12 leads the child to what it needs, and R14 still holds the g
// that the calling convention wants there (nothing in the child looks at it).
TEXT ·cloneShared(SB), NOSPLIT, $16-40
	MOVQ args+0(FP), DI
	MOVQ size+8(FP), SI
	MOVQ c+16(FP), R12
	MOVL $435, AX // SYS_clone3
	SYSCALL
	TESTQ AX, AX
	JZ   born
	CMPQ AX, $0xfffffffffffff001
	JCC  refused
	MOVQ AX, pid+24(FP)
	MOVQ $0, errno+32(FP)
	RET
refused:
	NEGQ AX
	MOVQ $0, pid+24(FP)
	MOVQ AX, errno+32(FP)
	RET
born:
	MOVQ R12, 0(SP)
	CALL ·runShared(SB)
	INT  $3
