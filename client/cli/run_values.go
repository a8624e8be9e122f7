package cli

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"hull/client/engine"
)

// What stands behind a flag of run that is more than a word: each type reads docker's form of it, and refuses the rest in docker's words.

// A listValue is a flag that may be given several times; check may refuse or rewrite each value. Without check all values are good.
type listValue struct {
	list  *[]string
	check func(string) (string, error)
}

func (v listValue) Set(s string) (err error) {
	if v.check != nil {
		s, err = v.check(s)
	}
	if err == nil {
		*v.list = append(*v.list, s)
	}
	return err
}
func (v listValue) Type() string   { return "list" }
func (v listValue) String() string { return "" }

// A mapValue is a flag NAME=VALUE that may be given several times; the last of a name wins. check may refuse a value.
type mapValue struct {
	values *map[string]string
	check  func(string) error
}

func (v mapValue) Set(s string) error {
	if v.check != nil {
		if err := v.check(s); err != nil {
			return err
		}
	}
	if *v.values == nil {
		*v.values = map[string]string{}
	}
	name, value, _ := strings.Cut(s, "=")
	(*v.values)[name] = value
	return nil
}
func (v mapValue) Type() string   { return "map" }
func (v mapValue) String() string { return "" }

// An optionalString knows whether it was given: an empty one is another thing than none.
type optionalString struct {
	value string
	set   bool
}

func (v *optionalString) Set(s string) error { v.value, v.set = s, true; return nil }
func (v *optionalString) Type() string       { return "string" }
func (v *optionalString) String() string     { return v.value }

// An optionalInt knows whether it was given.
type optionalInt struct{ value *int }

func (v *optionalInt) Set(s string) error {
	n, err := strconv.ParseInt(s, 0, strconv.IntSize)
	if err != nil {
		return err
	}
	i := int(n)
	v.value = &i
	return nil
}
func (v *optionalInt) Type() string   { return "int" }
func (v *optionalInt) String() string { return "" }

// An optionalBool knows whether it was given.
type optionalBool struct{ value *bool }

func (v *optionalBool) Set(s string) error {
	b, err := strconv.ParseBool(s)
	v.value = &b
	return err
}
func (v *optionalBool) Type() string     { return "bool" }
func (v *optionalBool) IsBoolFlag() bool { return true }
func (v *optionalBool) String() string   { return "" }

// A memory is a number of bytes, written with a unit: 64m, 1g, 1048576.
type memory int64

func (m *memory) Set(s string) error {
	n, err := units.RAMInBytes(s)
	*m = memory(n)
	return err
}
func (m *memory) Type() string { return "bytes" }
func (m *memory) String() string {
	if *m == 0 {
		return ""
	}
	return units.BytesSize(float64(*m))
}

// A swap is a memory, or -1 for no limit.
type swap struct{ memory }

func (m *swap) Set(s string) error {
	if s == "-1" {
		m.memory = -1
		return nil
	}
	return m.memory.Set(s)
}

// A cpus is a number of CPUs in billionths, written as a decimal: 0.5, 2.
type cpus int64

func (c *cpus) Set(s string) error {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return fmt.Errorf("failed to parse %v as a rational number", s)
	}
	nano := r.Mul(r, big.NewRat(1e9, 1))
	if !nano.IsInt() {
		return fmt.Errorf("value is too precise")
	}
	if !nano.Num().IsInt64() {
		return fmt.Errorf("value is too large")
	}
	*c = cpus(nano.Num().Int64())
	return nil
}
func (c *cpus) Type() string { return "decimal" }
func (c *cpus) String() string {
	if *c == 0 {
		return ""
	}
	return big.NewRat(int64(*c), 1e9).FloatString(3)
}

// ulimits are resource limits, written NAME=SOFT[:HARD]; the last of a name wins.
type ulimits []engine.Ulimit

func (u *ulimits) Set(s string) error {
	l, err := units.ParseUlimit(s)
	if err != nil {
		return err
	}
	limit := engine.Ulimit{Name: l.Name, Hard: l.Hard, Soft: l.Soft}
	for i, known := range *u {
		if known.Name == l.Name {
			(*u)[i] = limit
			return nil
		}
	}
	*u = append(*u, limit)
	return nil
}
func (u *ulimits) Type() string   { return "ulimit" }
func (u *ulimits) String() string { return "" }

// weights are the weights of block devices, written PATH:WEIGHT.
type weights []engine.WeightDevice

func (w *weights) Set(s string) error {
	path, value, err := deviceLimit(s)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil || n > 0 && n < 10 || n > 1000 {
		return fmt.Errorf("invalid weight for device: %s", s)
	}
	*w = append(*w, engine.WeightDevice{Path: path, Weight: uint16(n)})
	return nil
}
func (w *weights) Type() string   { return "list" }
func (w *weights) String() string { return "" }

// A throttle is limits of block devices, written PATH:RATE; the rate of bytes may have a unit.
type throttle struct {
	list  *[]engine.ThrottleDevice
	bytes bool
}

func (t throttle) Set(s string) error {
	path, value, err := deviceLimit(s)
	if err != nil {
		return err
	}
	rate, form := uint64(0), "<number>. Number must be a positive integer"
	if t.bytes {
		form = "<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb"
		var n int64
		n, err = units.RAMInBytes(value)
		rate = uint64(n)
	} else {
		rate, err = strconv.ParseUint(value, 10, 64)
	}
	if err != nil {
		return fmt.Errorf("invalid rate for device: %s. The correct format is <device-path>:%s", s, form)
	}
	*t.list = append(*t.list, engine.ThrottleDevice{Path: path, Rate: rate})
	return nil
}
func (t throttle) Type() string   { return "list" }
func (t throttle) String() string { return "" }

func deviceLimit(s string) (path, value string, err error) {
	path, value, ok := strings.Cut(s, ":")
	switch {
	case !ok || path == "":
		return "", "", fmt.Errorf("bad format: %s", s)
	case !strings.HasPrefix(path, "/dev/"):
		return "", "", fmt.Errorf("bad format for device path: %s", s)
	}
	return path, value, nil
}
