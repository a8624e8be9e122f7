// Package seccomp compiles an OCI seccomp profile into the program that the kernel runs before each system call of the container.
//
// The profile (OCI runtime-spec, config-linux.md, Seccomp) is a list of names with conditions on arguments and actions. The kernel takes
// a program in classic BPF (seccomp(2), SECCOMP_SET_MODE_FILTER): it reads a struct seccomp_data (system call number, architecture,
// instruction pointer, six arguments), may jump forward only, and returns an action. The way from one to the other:
//
//	table.go     names to numbers, for each architecture
//	profile.go   the profile, checked and sorted into "number → rules" for one architecture
//	search.go    numbers to a binary search, whose leaves are actions or blocks of conditions
//	condition.go one condition on a 64-bit argument, in 32-bit halves
//	assemble.go  instructions and jumps
//	filter.go    all of it, in order: [Compile]
//	cache.go     the same, from a file if it was done before: [Cache]
//
// Who calls it: hull-runc, while it builds the first process's table of system calls. hulld chooses the profile; this package never does.
//
// What it must not do: load anything, or be clever about what a profile means. A test compares the program's verdicts with a direct
// reading of the profile, for every system call number.
//
// Traps:
//   - One kernel serves several system call tables: a 64-bit x86 process can issue i386 calls (int $0x80) and x32 calls (numbers from
//     0x40000000) whenever it likes. A filter that looks only at the number of one table is no filter; so each has a tree of its own.
//   - The same number is another call elsewhere: the architecture is compared first.
//   - Arguments have 64 bits, the machine that runs the filter 32: each comparison is two.
//   - A name that an architecture does not have is skipped, as docker does: profiles name the calls of all architectures.
package seccomp
