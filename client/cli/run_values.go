package cli

import (
	"fmt"
	"math/big"

	"github.com/docker/go-units"
)

// What stands behind a flag of run that is more than a word: each type reads docker's form of it, and refuses the rest in docker's words.

// A listValue is a flag that may be given several times; check may refuse or rewrite each value.
type listValue struct {
	list  *[]string
	check func(string) (string, error)
}

func (v listValue) Set(s string) error {
	s, err := v.check(s)
	if err == nil {
		*v.list = append(*v.list, s)
	}
	return err
}
func (v listValue) Type() string   { return "list" }
func (v listValue) String() string { return "" }

// An optionalString knows whether it was given: an empty one is another thing than none.
type optionalString struct {
	value string
	set   bool
}

func (v *optionalString) Set(s string) error { v.value, v.set = s, true; return nil }
func (v *optionalString) Type() string       { return "string" }
func (v *optionalString) String() string     { return v.value }

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
