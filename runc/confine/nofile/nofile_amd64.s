#include "textflag.h"

// func prlimit(old *Limit) int
TEXT ·prlimit(SB), NOSPLIT, $0-16
	MOVQ $302, AX // SYS_prlimit64
	MOVQ $0, DI
	MOVQ $7, SI // RLIMIT_NOFILE
	MOVQ $0, DX
	MOVQ old+0(FP), R10
	SYSCALL
	MOVQ AX, ret+8(FP)
	RET
