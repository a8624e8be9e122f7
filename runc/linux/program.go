package linux

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"hull/stages"

	"golang.org/x/sys/unix"
)

// A Program is the table of system calls that a raw child runs, and the channel on which it reports.
type Program struct {
	Rows   []Row
	Report *int32 // the cell of the descriptor that failures go to; a row may put another one there
	Copy   bool   // the child must not share our memory: joining a time namespace forbids it (setns(2): EUSERS)

	step     stages.ID
	instance string
	field    string
	groups   []group
	record   *[recordSize / 4]uint32 // the child's outgoing record
	clock    []unix.Timespec         // a page shared with the child; nil when nobody traces
	gone     []byte                  // on the same page: the groups whose thing was not there
	born     *int32                  // on a shared page: the pid of the process that has the rows after Born
	split    int                     // the first group of that process; 0 without Born
}

// A group is a run of rows that belong to one step and instance.
type group struct {
	step     stages.ID
	instance string
	end      int // one past the last row
}

// New makes an empty program that reports on the descriptor.
func New(report int) *Program {
	return &Program{Report: Cell(report), record: new([recordSize / 4]uint32)}
}

// At says which step and instance the rows that follow belong to. Rows of stages.None are plumbing: no span, no lesson.
func (p *Program) At(step stages.ID, instance string) {
	p.step, p.instance, p.field = step, instance, ""
}

// For says which of the configuration's fields the rows that follow are for, up to the next At: an error names it.
func (p *Program) For(field string) { p.field = field }

// Do appends rows to the current step.
func (p *Program) Do(rows ...Row) {
	for _, r := range rows {
		r.Step, r.Instance, r.Field = p.step, p.instance, p.field
		if len(p.Rows) == 0 || p.Rows[len(p.Rows)-1].Step != r.Step || p.Rows[len(p.Rows)-1].Instance != r.Instance {
			p.groups = append(p.groups, group{step: r.Step, instance: r.Instance})
		}
		p.Rows = append(p.Rows, r)
		p.groups[len(p.groups)-1].end = len(p.Rows)
	}
}

// Clock puts a row that takes the time in front of each step, up to wait_start: what comes after, start sees. The times are on a page
// that is shared with the child; without a call to Clock the program has no such rows.
func (p *Program) Clock() error {
	// mmap(2), MAP_SHARED: the child's other memory may be its own copy; what it writes there nobody else sees.
	size := (len(p.groups) + 1) * int(unsafe.Sizeof(unix.Timespec{}))
	page, err := unix.Mmap(-1, 0, size+len(p.groups), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	p.clock = unsafe.Slice((*unix.Timespec)(unsafe.Pointer(&page[0])), len(p.groups)+1)
	p.gone = page[size:]
	rows := make([]Row, 0, len(p.Rows)+len(p.groups))
	start := 0
	for i := range p.groups {
		if i > 0 && p.groups[i-1].step == stages.RuncInitWaitStart {
			break
		}
		tick := call("clock_gettime", unix.SYS_CLOCK_GETTIME, Num(unix.CLOCK_REALTIME), Mem(&p.clock[i])).Or(Any)
		rows = append(rows, tick)
		for _, r := range p.Rows[start:p.groups[i].end] {
			if r.absent {
				r.gone = &p.gone[i]
			}
			rows = append(rows, r)
		}
		start = p.groups[i].end
		p.groups[i].end = len(rows)
	}
	p.Rows = append(rows, p.Rows[start:]...)
	return nil
}

// A Lap is one step of the child with its two ends.
type Lap struct {
	Step       stages.ID
	Instance   string
	Start, End time.Time
	Open       bool // the step had not ended when the child reported; End is zero
	Born       bool // the process that [Program.Born] made did it
}

// Laps are the steps that the child has begun, in order, without those whose thing was not there ([Row.Absent]). It is empty without Clock.
func (p *Program) Laps() (laps []Lap) {
	if p.clock == nil {
		return nil
	}
	at := func(i int) time.Time {
		if t := p.clock[i]; t.Sec != 0 {
			return time.Unix(t.Unix())
		}
		return time.Time{}
	}
	for i, g := range p.groups {
		if at(i).IsZero() {
			break
		}
		if g.step != stages.None && p.gone[i] == 0 {
			laps = append(laps, Lap{g.step, g.instance, at(i), at(i + 1), at(i + 1).IsZero(), p.split > 0 && i >= p.split})
		}
	}
	return laps
}

// What a record says.
const (
	failed    = 1 // row and errno; the child has exited
	warned    = 2 // row and errno; the child went on
	ready     = 3 // all is made; the child waits for start
	started   = 4 // the child has seen start
	held      = 5 // the child waits: see Hold
	listening = 6 // instead of an errno: the number of the filter's listener; the child waits: see Listen
)

// recordSize is one record on the wire: row, errno, what (in its upper half: why, see Report), step; each four bytes, native order. Smaller than PIPE_BUF, so it arrives whole.
const recordSize = 16

// Ready is the row that says that all before it has succeeded.
func (p *Program) Ready() Row { return p.say("write", ready) }

// Started is the row that says that the child goes on to the user's program.
func (p *Program) Started() Row { return p.say("write", started) }

func (p *Program) say(name string, what uint32) Row {
	rec := &[recordSize / 4]uint32{2: what}
	return call(name, unix.SYS_WRITE, FD(p.Report), Mem(rec), Num(recordSize))
}

// A Report is one record from a child.
type Report struct {
	Row    int
	Errno  syscall.Errno
	Step   stages.ID
	Ready  bool // all is made
	Start  bool // start was seen
	Held   bool // the child waits for Release
	Warn   bool // the row failed, and it was no failure
	Listen bool // the filter's listener is there; its number in the child is in Errno
	Why    int  // the row's gate made it fail: see trace/span; 0 for a failure of its own
}

// ReadReport waits for the next record. ok is false when the other end is closed: the child is gone, or has executed its program.
func ReadReport(fd int) (r Report, ok bool, err error) {
	var b [recordSize]byte
	n, err := Retry(func() (int, error) { return unix.Read(fd, b[:]) })
	switch {
	case err != nil:
		return r, false, fmt.Errorf("read the child's report: %w", err)
	case n == 0:
		return r, false, nil
	case n != recordSize:
		return r, false, fmt.Errorf("read the child's report: %d bytes", n)
	}
	what := binary.NativeEndian.Uint32(b[8:])
	why := int(what >> 16)
	what &= 0xffff
	return Report{
		Row: int(binary.NativeEndian.Uint32(b[0:])), Errno: syscall.Errno(binary.NativeEndian.Uint32(b[4:])),
		Step:  stages.ID(binary.NativeEndian.Uint32(b[12:])),
		Ready: what == ready, Start: what == started, Held: what == held, Warn: what == warned, Listen: what == listening, Why: why,
	}, true, nil
}

// Retry repeats f while a signal interrupts it (EINTR, signal(7)).
func Retry[T any](f func() (T, error)) (T, error) {
	for {
		v, err := f()
		if err != unix.EINTR {
			return v, err
		}
	}
}
