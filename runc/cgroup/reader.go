package cgroup

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A reader reads the forms that a group's files have. A file that is not there is empty; the first other error is kept.
type reader struct {
	dir *os.File
	err error
}

// text is the whole file.
func (r *reader) text(file string) string {
	text, err := read(r.dir, file)
	// ENODEV, EOPNOTSUPP: the file is there and its accounting is switched off.
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENODEV) {
		r.fail(file, err)
	}
	return text
}

func (r *reader) fail(file string, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", file, err)
	}
}

// has reports whether the file is there.
func (r *reader) has(file string) bool {
	return unix.Faccessat(int(r.dir.Fd()), file, unix.F_OK, 0) == nil
}

// number is a file with one number; "max" is the largest one.
func (r *reader) number(file string) uint64 { return r.parse(file, r.text(file)) }

func (r *reader) parse(file, text string) uint64 {
	switch text {
	case "":
		return 0
	case "max":
		return math.MaxUint64
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		r.fail(file, err)
	}
	return n
}

// numbers is a file with several numbers in a line.
func (r *reader) numbers(file string) (list []uint64) {
	for f := range strings.FieldsSeq(r.text(file)) {
		list = append(list, r.parse(file, f))
	}
	return list
}

// keyed is a file with a name and a number in each line ("flat keyed", cgroup-v2.rst).
func (r *reader) keyed(file string) map[string]uint64 {
	all := map[string]uint64{}
	for line := range strings.Lines(r.text(file)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all[key] = r.parse(file, value)
		}
	}
	return all
}

// list is a file with numbers and ranges of them: "0-2,7" (cpusets(7), "List format").
func (r *reader) list(file string) (all []uint16) {
	text := r.text(file)
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err := strconv.ParseUint(low, 10, 16)
		last, err2 := strconv.ParseUint(high, 10, 16)
		if err = errors.Join(err, err2); err != nil {
			r.fail(file, err)
			return nil
		}
		for n := first; n <= last; n++ {
			all = append(all, uint16(n))
		}
	}
	return all
}

// transfers is one of blkio's files: "MAJOR:MINOR OP VALUE" or "MAJOR:MINOR VALUE", and a total, which is left out.
func (r *reader) transfers(file string) (list []Transfer) {
	for line := range strings.Lines(r.text(file)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] == "Total" {
			continue
		}
		t := Transfer{Value: r.parse(file, f[len(f)-1])}
		t.Major, t.Minor = r.device(file, f[0])
		if len(f) > 2 {
			t.Op = f[1]
		}
		list = append(list, t)
	}
	return list
}

func (r *reader) device(file, text string) (major, minor uint64) {
	a, b, _ := strings.Cut(text, ":")
	return r.parse(file, a), r.parse(file, b)
}

// pressure is one of the *.pressure files; nil where the kernel does not account for it.
func (r *reader) pressure(file string) *PSI {
	text := r.text(file)
	if text == "" {
		return nil
	}
	p := &PSI{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		to := map[string]*Pressure{"some": &p.Some, "full": &p.Full}[f[0]]
		if to == nil {
			continue
		}
		for _, pair := range f[1:] {
			key, value, _ := strings.Cut(pair, "=")
			if key == "total" {
				to.Total = r.parse(file, value)
				continue
			}
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				r.fail(file, err)
			}
			switch key {
			case "avg10":
				to.Avg10 = n
			case "avg60":
				to.Avg60 = n
			case "avg300":
				to.Avg300 = n
			}
		}
	}
	return p
}
