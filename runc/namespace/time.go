package namespace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// clocks are those that a time namespace has offsets for (time_namespaces(7), Linux 5.6), as the specification and the kernel name them.
var clocks = map[string]int32{"monotonic": unix.CLOCK_MONOTONIC, "boottime": unix.CLOCK_BOOTTIME}

// latest is the latest time that an offset may lead to, in seconds: KTIME_SEC_MAX / 2, about 146 years (include/linux/ktime.h). Beyond it
// the kernel answers ERANGE.
const latest = (1<<63 - 1) / 1_000_000_000 / 2

// checkTime holds linux.timeOffsets against the namespace. The refusals are runc's words.
func (w *Wanted) checkTime() error {
	refuse := func(field, format string, args ...any) error {
		return &stages.Error{Step: stages.RuncNsCreate, Kind: stages.Invalid, Thing: field, Err: fmt.Errorf(format, args...)}
	}
	if len(w.Offsets) == 0 {
		return nil
	}
	if !w.Own[specs.TimeNamespace] {
		return refuse("linux.timeOffsets", "time namespace offsets specified, but time namespace isn't enabled in the config")
	}
	if w.New&unix.CLONE_NEWTIME == 0 {
		return refuse("linux.timeOffsets", "time namespace enabled, but both namespace path and time offsets specified -- you may only provide one")
	}
	for _, name := range slices.Sorted(maps.Keys(w.Offsets)) {
		o, field := w.Offsets[name], "linux.timeOffsets."+name
		clock, ok := clocks[name]
		if !ok {
			return refuse(field, "there is no such clock: monotonic and boottime have offsets")
		}
		var now unix.Timespec
		if err := unix.ClockGettime(clock, &now); err != nil {
			return refuse(field, "clock_gettime: %w", err)
		}
		switch {
		case o.Nanosecs >= 1_000_000_000:
			return refuse(field, "%d nanoseconds are a second or more", o.Nanosecs)
		case o.Secs > latest-int64(now.Sec), o.Secs < -int64(now.Sec):
			return refuse(field, "%d seconds from now, %d, the clock would be negative or beyond %d", o.Secs, now.Sec, int64(latest))
		}
	}
	return nil
}

// Time appends the rows of a new time namespace. unshare(2) moves nobody into it: it is for the children, and for whoever executes a
// program (Linux 6.1). The offsets are written before anybody is inside, which closes them (EACCES); then the process enters.
//
// It goes by the host's /proc, which is still there and is no image's, and before the process has become uid 0 of its user namespace, to
// whom the file does not belong.
func (w *Wanted) Time(p *linux.Program) error {
	if w.New&unix.CLONE_NEWTIME == 0 {
		return nil
	}
	p.At(stages.None, "time namespace")
	p.Copy = true // whoever enters must not share its memory: EUSERS (setns(2))
	p.Do(linux.Unshare(unix.CLONE_NEWTIME))
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.Offsets)) {
		fmt.Fprintf(&lines, "%s %d %d\n", name, w.Offsets[name].Secs, w.Offsets[name].Nanosecs)
	}
	if lines.Len() > 0 {
		file := linux.Cell(-1)
		p.Do(linux.Openat(linux.Cwd(), "/proc/self/timens_offsets", unix.O_WRONLY, file), linux.Write(linux.FD(file), lines.String()), linux.Close(linux.FD(file)))
	}
	ns := linux.Cell(-1)
	p.Do(linux.Openat(linux.Cwd(), "/proc/self/ns/time_for_children", unix.O_RDONLY, ns), linux.Setns(linux.FD(ns), unix.CLONE_NEWTIME), linux.Close(linux.FD(ns)))
	return nil
}
