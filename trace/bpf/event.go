package bpf

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"hull/stages"
	"hull/trace/model"
)

// An Event is one thing the kernel did, decoded. All names are text; the numbers that remain are those the join needs.
type Event struct {
	Kind      stages.Event
	Time      uint64 // ns since boot, at its end
	Duration  uint64 // ns; only of system calls
	Trace     uint64 // the trace's handle; 0 if only Marker says whose it is
	Marker    string // the thread's span (16 hex digits), if it said so
	Proc      model.Proc
	BootStart uint64 // when the process started, in ns since boot
	TID       int
	Comm      string
	Call      string // the system call's name
	Ret       int64
	Args      map[string]string
	NSPID     int // clone: the child's pid in its own namespace; exec: the process's

	Other       model.Proc // clone: the child; reparent: the old parent; signal, cgroup_attach: whom; accept: the peer's pid
	OtherStart  uint64     // when Other started, in ns since boot
	Parent      model.Proc // clone: the child's parent; reparent, exec, exit: the process's own
	Traceparent string     // exec: the context it was executed in
	Exe         string     // exec: the path that was executed
	Name        string     // exec: the executable's own file name
	Argv        []string   // exec: the arguments, as far as the record holds them
	Cut         bool       // exec: there were more

	raw []byte
}

// ticks turns start_boottime into field 22 of /proc/PID/stat: USER_HZ is 100 on every architecture we have.
func ticks(ns uint64) uint64 { return ns / 1e7 }

// Model is the event as it is kept. toWall turns ns since boot into Unix ns.
func (e *Event) Model(toWall func(uint64) int64) model.Event {
	return model.Event{
		Kind: e.Kind.String(), Time: toWall(e.Time), Duration: int64(e.Duration), Proc: e.Proc, TID: e.TID,
		Comm: e.Comm, Call: e.Call, Ret: e.Ret, Args: e.Args,
	}
}

const (
	kindClone = iota + 1
	kindExec
	kindExit
	kindReparent
	kindSignal
	kindCgroupMkdir
	kindCgroupAttach
	kindSyscall
)

// decode reads e.raw. The layout of both records is the C structs', through the types that bpf2go makes of them.
func (e *Event) decode() error {
	raw := e.raw
	if len(raw) < int(unsafe.Sizeof(hullEvent{})) {
		return fmt.Errorf("bpf: a record of %d bytes", len(raw))
	}
	r := (*hullEvent)(unsafe.Pointer(&raw[0]))
	var x *hullTextEvent
	if r.Large != 0 {
		if len(raw) < int(unsafe.Sizeof(hullTextEvent{})) {
			return fmt.Errorf("bpf: a text record of %d bytes", len(raw))
		}
		x = (*hullTextEvent)(unsafe.Pointer(&raw[0]))
	}
	*e = Event{
		Time: r.Time, Duration: r.Duration, Trace: r.Trace, Marker: markerOf(r.Marker), BootStart: r.Start, TID: int(r.Tid), Comm: text(r.Comm[:]),
		Proc: model.Proc{PID: int(r.Pid), Start: ticks(r.Start)}, Ret: r.Ret, NSPID: int(r.Nspid),
		Other: model.Proc{PID: int(r.Other), Start: ticks(r.OtherStart)}, OtherStart: r.OtherStart,
		Parent: model.Proc{PID: int(r.Parent), Start: ticks(r.ParentStart)}, Args: map[string]string{}, raw: raw,
	}
	switch r.Kind {
	case kindClone:
		e.Kind, e.Ret = stages.EventClone, int64(r.Other)
		e.Args["flags"] = flagNames(cloneFlags, r.Args[0]&^0xff) // the low byte is the exit signal
		e.Args["child"] = strconv.Itoa(e.Other.PID)
		e.Args["nspid"] = strconv.Itoa(e.NSPID)
		e.namespaces(r)
	case kindExec:
		e.Kind = stages.EventExec
		e.exec(x)
		e.namespaces(r)
	case kindExit:
		e.Kind = stages.EventExit
		e.Ret = int64(exitCode(uint32(r.Ret)))
		e.Args["code"] = strconv.FormatInt(e.Ret, 10)
		if sig := r.Ret & 0x7f; sig != 0 {
			e.Args["signal"] = signalName(int(sig))
		}
	case kindReparent:
		e.Kind = stages.EventReparent
		e.Args["old"], e.Args["new"] = strconv.Itoa(e.Other.PID), strconv.Itoa(e.Parent.PID)
		if r.Args[0] != 0 { // the old parent's parent ignores SIGCHLD: hull.c, predict
			e.Args["predicted"] = "yes"
		}
	case kindSignal:
		e.Kind = stages.EventSignal
		e.Args["signal"], e.Args["target"] = signalName(int(r.Args[0])), strconv.Itoa(e.Other.PID)
	case kindCgroupMkdir, kindCgroupAttach:
		e.Kind = stages.EventCgroupMkdir
		if r.Kind == kindCgroupAttach {
			e.Kind = stages.EventCgroupAttach
			e.Args["target"] = strconv.Itoa(e.Other.PID)
		}
		e.Args["path"], e.Args["id"] = x.str(0), strconv.FormatUint(r.Cgroup, 10)
		e.Args["hierarchy"] = hierarchyName(r.Hierarchy)
	case kindSyscall:
		return e.syscall(r, x)
	default:
		return fmt.Errorf("bpf: a record of kind %d", r.Kind)
	}
	return nil
}

// noise is a waitid that took nobody's status: the Go runtime looks first (WNOWAIT) and asks then.
func (e *Event) noise() bool {
	return e.Call == "waitid" && (e.Args["pid"] == "" || e.Args["pid"] == "0" || strings.Contains(e.Args["options"], "WNOWAIT"))
}

func (e *Event) exec(x *hullTextEvent) {
	e.Exe, e.Name = x.str(0), text(x.Name[:x.NameLen])
	argv := append(x.Text[1][:], x.Text[2][:]...)[:x.Len[1]]
	e.Cut = len(argv) == len(x.Text[1])*2
	if len(argv) > 0 {
		e.Argv = strings.Split(strings.TrimSuffix(string(argv), "\x00"), "\x00")
	}
	_, e.Traceparent, _ = strings.Cut(text(x.Traceparent[:]), "=")
	e.Args["exe"], e.Args["argv"], e.Args["name"] = e.Exe, strings.Join(e.Argv, " "), e.Name
	if e.Traceparent != "" {
		e.Args["traceparent"] = e.Traceparent
	}
}

func (e *Event) syscall(r *hullEvent, x *hullTextEvent) error {
	call, ok := callsByNumber[r.Nr]
	if !ok {
		return fmt.Errorf("bpf: a record of system call %d", r.Nr)
	}
	e.Kind, e.Call = call.event, call.name
	rec := &record{hullEvent: r, text: x}
	for _, a := range call.args {
		if v := a.decode(rec); v != "" {
			e.Args[a.key] = v
		}
	}
	if r.Ret < 0 {
		e.Args["errno"] = errnoName(int(-r.Ret))
	}
	if call.event == stages.EventSeccomp || call.event == stages.EventPrctl && strings.Contains(e.Args["option"], "SECCOMP") {
		e.Args["filters"] = strconv.Itoa(int(r.Filters))
	}
	if r.Ns[0] != 0 {
		e.namespaces(r)
	}
	return nil
}

var nsNames = [...]string{"mnt", "pid", "net", "uts", "ipc", "cgroup", "user", "time"}

func (e *Event) namespaces(r *hullEvent) {
	for i, name := range nsNames {
		if r.Ns[i] != 0 {
			e.Args["ns."+name] = strconv.FormatUint(uint64(r.Ns[i]), 10)
		}
	}
	if r.Cgroup != 0 {
		e.Args["cgroup"] = strconv.FormatUint(r.Cgroup, 10)
	}
}

// fdPath is the slot of a path that was found from a descriptor.
const fdPath = 3

// str is one of the record's strings. A path that was found from a descriptor comes as its names, innermost first.
func (x *hullTextEvent) str(i int) string {
	if x == nil {
		return ""
	}
	n := min(int(x.Len[i]), len(x.Text[i]))
	if i != fdPath {
		return string(x.Text[i][:n])
	}
	if n == 0 {
		return ""
	}
	path := ""
	for cell := 0; cell+32 <= n; cell += 32 {
		path = "/" + text(x.Text[i][cell:cell+32]) + path
	}
	if n == len(x.Text[i]) {
		path = "…" + path
	}
	return path
}

// hierarchyName is a hierarchy's controllers as /proc/self/cgroup lists them ("memory", "name=systemd"), "unified" for v2's.
func hierarchyName(id uint32) string {
	if id == 0 {
		return "unified"
	}
	list, _ := os.ReadFile("/proc/self/cgroup")
	for _, line := range strings.Split(string(list), "\n") {
		if f := strings.SplitN(line, ":", 3); len(f) == 3 && f[0] == strconv.Itoa(int(id)) {
			return f[1]
		}
	}
	return strconv.Itoa(int(id))
}

func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// markerOf is the span id of a marker: its eight bytes, the first in the lowest (trace/span, mark).
func markerOf(m uint64) string {
	if m == 0 {
		return ""
	}
	return hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, m))
}

// exitCode is the shell's form of a wait status: the code, or 128 and the signal.
func exitCode(status uint32) int {
	if sig := status & 0x7f; sig != 0 {
		return 128 + int(sig)
	}
	return int(status >> 8 & 0xff)
}

// Kept is the event without the buffer it was read into: Read uses that again only if it is given the same Event.
func (e Event) Kept() Event {
	e.raw = nil
	return e
}
