package top

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The fields of /proc/PID/stat (proc_pid_stat(5)), counted from 0.
const (
	fieldPID = iota
	fieldName
	fieldState
	fieldParent
	fieldGroup
	fieldSession
	fieldTTY
	fieldForeground
	fieldUser    = 13 // CPU time in user mode, in ticks
	fieldSystem  = 14
	fieldNice    = 18
	fieldThreads = 19
	fieldStart   = 21 // ticks after boot
	fieldVirtual = 22 // bytes
	fieldPages   = 23 // resident
	fieldCount   = 24
)

// tick is a hundredth of a second: what the kernel shows to programs, on every architecture but alpha (sysconf(3), _SC_CLK_TCK).
const tick = 10 * time.Millisecond

// A process is what /proc says of one, at one moment.
type process struct {
	fields []string
	ids    unix.Stat_t
	words  string
	now    time.Time
	uptime time.Duration
}

func read(pid int) (*process, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	text, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return nil, err
	}
	// The name, in parentheses, may itself hold spaces and parentheses; the last one ends it.
	first, last := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
	if first < 0 || last < first {
		return nil, errors.New("not a stat line")
	}
	p := &process{fields: append([]string{strings.TrimSpace(string(text[:first])), string(text[first+1 : last])}, strings.Fields(string(text[last+1:]))...), now: time.Now()}
	if len(p.fields) < fieldCount {
		return nil, errors.New("a short stat line")
	}
	if err := unix.Stat(dir, &p.ids); err != nil { // owned by the effective ids
		return nil, err
	}
	words, _ := os.ReadFile(dir + "/cmdline")
	p.words = strings.TrimRight(strings.ReplaceAll(string(words), "\x00", " "), " ")
	var clock unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &clock); err != nil {
		return nil, err
	}
	p.uptime = time.Duration(clock.Nano())
	return p, nil
}

func (p *process) stat(field int) string { return p.fields[field] }

func (p *process) number(field int) int64 {
	n, _ := strconv.ParseInt(p.fields[field], 10, 64)
	return n
}

func (p *process) uid() string { return strconv.FormatUint(uint64(p.ids.Uid), 10) }
func (p *process) gid() string { return strconv.FormatUint(uint64(p.ids.Gid), 10) }

func (p *process) user() string {
	if u, err := user.LookupId(p.uid()); err == nil {
		return u.Username
	}
	return p.uid()
}

func (p *process) group() string {
	if g, err := user.LookupGroupId(p.gid()); err == nil {
		return g.Name
	}
	return p.gid()
}

func (p *process) name() string { return clean(p.fields[fieldName]) }

// command is the command line; a process without one (a zombie, or one that has overwritten it) shows its name in brackets.
func (p *process) command() string {
	if p.words == "" {
		if p.fields[fieldState] == "Z" {
			return "[" + p.name() + "] <defunct>"
		}
		return "[" + p.name() + "]"
	}
	return clean(p.words)
}

// clean replaces what would move a terminal's cursor: the words are the container's.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// states is ps's STAT: the state, and marks for priority, session leaders, threads and the foreground.
func (p *process) states() string {
	s := p.fields[fieldState]
	switch nice := p.number(fieldNice); {
	case nice < 0:
		s += "<"
	case nice > 0:
		s += "N"
	}
	if p.fields[fieldSession] == p.fields[fieldPID] {
		s += "s"
	}
	if p.number(fieldThreads) > 1 {
		s += "l"
	}
	if p.fields[fieldForeground] == p.fields[fieldGroup] {
		s += "+"
	}
	return s
}

// terminal names the device number of the controlling terminal (ps's own way: by number, not by any path).
func (p *process) terminal() string {
	dev := uint64(p.number(fieldTTY))
	major, minor := unix.Major(dev), unix.Minor(dev)
	switch {
	case dev == 0:
		return "?"
	case major >= 136 && major <= 143: // UNIX 98 slaves (Documentation/admin-guide/devices.txt)
		return fmt.Sprintf("pts/%d", (major-136)<<8+minor)
	case major == 4:
		return fmt.Sprintf("tty%d", minor)
	}
	return fmt.Sprintf("%d:%d", major, minor)
}

func (p *process) used() time.Duration {
	return time.Duration(p.number(fieldUser)+p.number(fieldSystem)) * tick
}

func (p *process) age() time.Duration {
	return max(0, p.uptime-time.Duration(p.number(fieldStart))*tick)
}

func (p *process) cpu() float64 {
	if p.age() < tick {
		return 0
	}
	return min(99, 100*float64(p.used())/float64(p.age()))
}

func (p *process) resident() string {
	return strconv.FormatInt(p.number(fieldPages)*int64(os.Getpagesize())/1024, 10)
}

func (p *process) virtual() string { return strconv.FormatInt(p.number(fieldVirtual)/1024, 10) }

func (p *process) memory() string {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil || info.Totalram == 0 {
		return "0.0"
	}
	total := float64(info.Totalram) * float64(info.Unit)
	return fmt.Sprintf("%.1f", 100*float64(p.number(fieldPages)*int64(os.Getpagesize()))/total)
}

func (p *process) time() string {
	s := int(p.used().Seconds())
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

func (p *process) bsdTime() string {
	s := int(p.used().Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// started is the hour for today's processes, the day for this year's, the year for others.
func (p *process) started() string {
	at := p.now.Add(-p.age())
	switch {
	case at.YearDay() == p.now.YearDay() && at.Year() == p.now.Year():
		return at.Format("15:04")
	case at.Year() == p.now.Year():
		return at.Format("Jan02")
	}
	return at.Format("2006")
}

func (p *process) elapsed() string {
	s := int(p.age().Seconds())
	days, text := s/86400, fmt.Sprintf("%02d:%02d", s/60%60, s%60)
	if h := s / 3600 % 24; h > 0 || days > 0 {
		text = fmt.Sprintf("%02d:", h) + text
	}
	if days > 0 {
		text = fmt.Sprintf("%d-", days) + text
	}
	return text
}
