package linux

import (
	"fmt"
	"strings"
	"syscall"
	"unsafe"

	"hull/stages"

	"golang.org/x/sys/unix"
)

// A Row is one system call of a program, and what follows from its result.
type Row struct {
	Step     stages.ID // set by Program.Do
	Instance string    // which one of a repeated step: a mount's target, a device; also the thing that an error names
	Field    string    // the configuration's field that asked for it, which an error names instead; "" for none
	Name     string    // the call's name, for people
	NR       uintptr   // its number, or Fail, or FailIf
	Args     [6]Arg
	arity    int              // how many of them the call has, for people
	Out      *int32           // the cell that takes a result (a descriptor)
	Then     int              // rows to skip after success
	Except   [4]syscall.Errno // errors that are no failure; Any matches all
	Else     int              // rows to skip after an excepted error
	Warn     bool             // an excepted error is reported, and the child goes on
	Leave    bool             // a result other than 0 is the end: the row is a clone(2), and its child has the rest of the rows
	Exit     uint8            // exit code after a failure; 0 means 1
	absent   bool             // an excepted error says that the thing is not there: the step did nothing
	direct   bool             // nothing comes between the row and the one before it: no gate
	gone     *byte            // with absent, after Clock: set to 1 then; on the shared page
	gate     *[2]int32        // after Gates: the answer that was read; with an errno in it the row fails so
}

// Any in Row.Except stands for every errno.
const Any = syscall.Errno(0xffff)

// Fail is the number of no system call: such a row fails with the errno in its first argument. It ends a row of attempts.
const Fail = ^uintptr(0)

// FailIf is the number of no system call either: such a row fails with the errno in its first argument if the 64 bits that its second
// points to, which a row before it has filled in, are its third.
const FailIf = ^uintptr(1)

// An Arg is one argument: a number, a pointer that the row keeps alive, or what a cell holds when the row runs.
type Arg struct {
	Value uintptr        // the number; with Ptr set, one of the kinds below
	Ptr   unsafe.Pointer // memory of ours: never on a stack, because the address is taken before the clone
}

const (
	memory = iota // Ptr is passed as it is
	text          // the same; it is a NUL-terminated string, and can be printed
	cell          // Ptr is an *int32, whose value is passed
)

// Num is a plain number.
func Num(n int) Arg { return Arg{Value: uintptr(n)} }

// Cwd is AT_FDCWD: paths are taken from the current directory, and absolute ones from the root.
func Cwd() Arg { return Num(unix.AT_FDCWD) }

// Mem is a pointer to a structure or buffer.
func Mem[T any](p *T) Arg { return Arg{Value: memory, Ptr: unsafe.Pointer(p)} }

// Str is a C string. A NUL inside would cut it; the configuration was searched for such before.
func Str(s string) Arg {
	b := make([]byte, len(s)+1)
	copy(b, s)
	return Arg{Value: text, Ptr: unsafe.Pointer(&b[0])}
}

// Strs is a NULL-terminated vector of C strings, as execve(2) takes.
func Strs(list []string) Arg {
	v := make([]unsafe.Pointer, len(list)+1)
	for i, s := range list {
		v[i] = Str(s).Ptr
	}
	return Arg{Value: memory, Ptr: unsafe.Pointer(&v[0])}
}

// FD is the descriptor that will be in the cell.
func FD(c *int32) Arg { return Arg{Value: cell, Ptr: unsafe.Pointer(c)} }

// Cell makes a cell that holds a descriptor known already, or -1 for one to come.
func Cell(fd int) *int32 {
	c := int32(fd)
	return &c
}

// Or returns the row with errors that are no failure.
func (r Row) Or(errnos ...syscall.Errno) Row {
	copy(r.Except[:], errnos)
	return r
}

// Skip returns the row with the rows to skip after success and after an excepted error.
func (r Row) Skip(then, otherwise int) Row {
	r.Then, r.Else = then, otherwise
	return r
}

// Absent returns the row with its excepted errors saying that the step's thing is not there: nothing is done, and so nothing is claimed.
func (r Row) Absent() Row {
	r.absent = true
	return r
}

// String is the call as strace(1) would show it, with what is known before it runs.
func (r Row) String() string {
	args := make([]string, r.arity)
	for i := range args {
		args[i] = r.Args[i].String()
	}
	s := r.Name + "(" + strings.Join(args, ", ") + ")"
	if r.Except[0] == Any {
		s += " or any error"
	} else if r.Except[0] != 0 {
		var names []string
		for _, e := range r.Except {
			if e != 0 {
				names = append(names, unix.ErrnoName(e))
			}
		}
		s += " or " + strings.Join(names, ", ")
	}
	return s
}

func (a Arg) String() string {
	switch {
	case a.Ptr == nil && int(a.Value) == unix.AT_FDCWD:
		return "AT_FDCWD"
	case a.Ptr == nil && a.Value < 1024:
		return fmt.Sprint(a.Value)
	case a.Ptr == nil && int(a.Value) < 0:
		return fmt.Sprint(int(a.Value))
	case a.Ptr == nil:
		return fmt.Sprintf("%#x", a.Value)
	case a.Value == text:
		return fmt.Sprintf("%q", unix.BytePtrToString((*byte)(a.Ptr)))
	case a.Value == cell && *(*int32)(a.Ptr) >= 0:
		return fmt.Sprintf("fd %d", *(*int32)(a.Ptr))
	case a.Value == cell:
		return "fd"
	default:
		return "…"
	}
}
