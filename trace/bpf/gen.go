package bpf

//go:generate go tool bpf2go -cc clang-14 -strip llvm-strip-14 -cflags "-O2 -mcpu=v3 -Wall -Werror -Wno-unused-function" -no-global-types -type event -type text_event -type member -target amd64,arm64 hull hull.c
