package cgroup

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hull/shim/wire"
)

// number reads a file that holds one number, or "max", which is the largest. A file that is not there reads as 0.
func number(dir, name string) uint64 {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0
	}
	return parseNumber(strings.TrimSpace(string(b)))
}

func parseNumber(s string) uint64 {
	if s == "max" {
		return math.MaxUint64
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil { // a negative one: the kernel's sum over processors is not always exact
		return 0
	}
	return v
}

// numbers reads a file of lines "name number".
func numbers(dir, name string) map[string]uint64 {
	all := map[string]uint64{}
	for _, f := range lines(dir, name) {
		if len(f) == 2 {
			all[f[0]] = parseNumber(f[1])
		}
	}
	return all
}

// lines reads a file and cuts its lines into words.
func lines(dir, name string) (all [][]string) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil
	}
	for _, line := range strings.Split(string(b), "\n") {
		if f := strings.Fields(line); len(f) > 0 {
			all = append(all, f)
		}
	}
	return all
}

// fill puts the counters into their places.
func fill(places []wire.Number, from map[string]uint64) {
	for _, p := range places {
		*p.Value = from[p.Name]
	}
}

func exists(dir, name string) bool {
	if dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// device is the numbers of "MAJOR:MINOR".
func device(s string) (major, minor uint64, ok bool) {
	a, b, ok := strings.Cut(s, ":")
	major, err1 := strconv.ParseUint(a, 10, 32)
	minor, err2 := strconv.ParseUint(b, 10, 32)
	return major, minor, ok && err1 == nil && err2 == nil
}

// pageSizes are the sizes for which there is a file hugetlb.SIZE.suffix: "2MB".
func pageSizes(dir, suffix string) (sizes []string) {
	found, err := filepath.Glob(filepath.Join(dir, "hugetlb.*."+suffix))
	if err != nil {
		return nil
	}
	for _, path := range found {
		size := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "hugetlb."), "."+suffix)
		if !strings.Contains(size, ".") { // hugetlb.2MB.rsvd.… counts reservations
			sizes = append(sizes, size)
		}
	}
	return sizes
}
