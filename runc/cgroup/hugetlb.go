package cgroup

import (
	"fmt"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"hull/stages"
)

// isPageSize tells a huge page size as the kernel writes it in file names: 64KB, 2MB, 1GB. (A regular expression would be shorter, and
// would be compiled at every start of the runtime.)
func isPageSize(s string) bool {
	digits, isBytes := strings.CutSuffix(s, "B")
	if !isBytes || digits == "" || !strings.ContainsRune("KMG", rune(digits[len(digits)-1])) {
		return false
	}
	n, err := strconv.ParseUint(digits[:len(digits)-1], 10, 64)
	return err == nil && n > 0 && s[0] != '0' && s[0] != '+'
}

// hugetlb plans the limits on huge pages (cgroup-v1/hugetlb.rst). Each limit is two: on pages in use, and on pages reserved. Without the
// second an mmap(2) beyond the limit succeeds and the first touch is SIGBUS; kernels before 5.7 have only the first.
func hugetlb(r *specs.LinuxResources, version versionOf) (rows []row, err error) {
	suffix := ".limit_in_bytes"
	if version("hugetlb", "hugetlb") == 2 {
		suffix = ".max"
	}
	for _, l := range r.HugepageLimits {
		if !isPageSize(l.Pagesize) {
			return nil, cannot(stages.Invalid, "hugetlb", "hugetlb."+l.Pagesize+suffix, fmt.Errorf("%q is no page size such as 2MB", l.Pagesize))
		}
		value := strconv.FormatUint(l.Limit, 10)
		rows = append(rows,
			row{controller: "hugetlb", file: "hugetlb." + l.Pagesize + suffix, value: value},
			row{controller: "hugetlb", file: "hugetlb." + l.Pagesize + ".rsvd" + suffix, value: value, optional: true})
	}
	return rows, nil
}
