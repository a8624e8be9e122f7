package cgroup

import (
	"errors"
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"hull/stages"
)

// The bits of a device access, as the kernel numbers them for BPF programs (include/uapi/linux/bpf.h, BPF_DEVCG_ACC_*).
const (
	accessMknod = 1 << iota
	accessRead
	accessWrite
	accessAll = accessMknod | accessRead | accessWrite
)

// A deviceRule is one checked rule of the spec's device list. Rules are read in order and a later one wins.
type deviceRule struct {
	allow        bool
	kind         byte  // 'c', 'b', or 'a' for both
	major, minor int64 // -1 for any
	access       int
}

// all reports whether the rule decides everything, so that no earlier one matters.
func (r deviceRule) all() bool {
	return r.kind == 'a' && r.major < 0 && r.minor < 0 && r.access == accessAll
}

// String is the rule as v1's devices.allow and devices.deny take it.
func (r deviceRule) String() string {
	number := func(n int64) string {
		if n < 0 {
			return "*"
		}
		return fmt.Sprint(n)
	}
	access := ""
	for i, c := range "mrw" {
		if r.access&(1<<i) != 0 {
			access += string(c)
		}
	}
	return fmt.Sprintf("%c %s:%s %s", r.kind, number(r.major), number(r.minor), access)
}

// always are the devices every container may use, whatever the spec's list says: those whose nodes the runtime itself puts into /dev
// (OCI runtime-spec, config-linux.md, Default Devices), and the right to make a node, which alone opens nothing.
var always = []deviceRule{
	{true, 'c', -1, -1, accessMknod},
	{true, 'b', -1, -1, accessMknod},
	{true, 'c', 1, 3, accessAll},    // null
	{true, 'c', 1, 5, accessAll},    // zero
	{true, 'c', 1, 7, accessAll},    // full
	{true, 'c', 1, 8, accessAll},    // random
	{true, 'c', 1, 9, accessAll},    // urandom
	{true, 'c', 5, 0, accessAll},    // tty
	{true, 'c', 5, 2, accessAll},    // ptmx
	{true, 'c', 136, -1, accessAll}, // pts/N
}

// nothing is what every list begins with, unless it opens everything itself (OCI runtime-spec, config-linux.md, Allowed Device list). A list
// of what is forbidden, or none, would leave a container the host's disks (GHSA-g54h-m393-cpwq).
var nothing = deviceRule{false, 'a', -1, -1, accessAll}

// deviceRules checks the spec's list. Unless it ends up allowing everything, the devices of always follow it.
func deviceRules(list []specs.LinuxDeviceCgroup) (rules []deviceRule, err error) {
	closed := true
	rules = append(rules, nothing)
	for _, d := range list {
		r := deviceRule{allow: d.Allow, kind: 'a', major: -1, minor: -1}
		if d.Type != "" {
			r.kind = d.Type[0]
		}
		bad := len(d.Type) > 1 || !strings.ContainsRune("abc", rune(r.kind))
		// Linux device numbers have 12 and 20 bits (makedev(3)); -1 is "any" among runtimes, as absence is.
		bad = !number(d.Major, 1<<12, &r.major) || !number(d.Minor, 1<<20, &r.minor) || bad
		for _, c := range d.Access {
			i := strings.IndexRune("mrw", c)
			bad = bad || i < 0
			r.access |= 1 << max(i, 0)
		}
		if bad || r.access == 0 {
			return nil, cannot(stages.Invalid, "devices", fmt.Sprintf("type %q, access %q", d.Type, d.Access), errors.New("not a device rule"))
		}
		if r.all() {
			closed, rules = !r.allow, nil
		}
		rules = append(rules, r)
	}
	if closed {
		rules = append(rules, always...)
	}
	return rules, nil
}

func number(from *int64, limit int64, to *int64) bool {
	if from == nil || *from == -1 {
		return true
	}
	*to = *from
	return *from >= 0 && *from < limit
}

// deviceRows plans v1's list (cgroup-v1/devices.rst): a default, which "a" sets, and a flat set of exceptions from it. It knows no order
// among exceptions, so a rule that would take back a part of an earlier one cannot be said, and is refused.
func deviceRows(rules []deviceRule) (rows []row, err error) {
	allowed := true // a new group has its parent's list; the root's allows all
	var exceptions []deviceRule
	for _, rule := range rules {
		each := []deviceRule{rule}
		if rule.kind == 'a' && !rule.all() { // the kernel ignores what follows "a"
			each = []deviceRule{rule, rule}
			each[0].kind, each[1].kind = 'c', 'b'
		}
		for _, r := range each {
			file := "devices.deny"
			if r.allow {
				file = "devices.allow"
			}
			rows = append(rows, row{controller: "devices", file: file, value: r.String()})
			switch {
			case r.all():
				allowed, exceptions = r.allow, nil
			case r.allow != allowed:
				exceptions = append(exceptions, r)
			default:
				for _, e := range exceptions {
					if e.overlaps(r) && (e.kind != r.kind || e.major != r.major || e.minor != r.minor) {
						return nil, cannot(stages.Unsupported, "devices", file, fmt.Errorf("%q after %q: cgroup v1 cannot take back a part of a rule", r, e))
					}
				}
			}
		}
	}
	return rows, nil
}

func (r deviceRule) overlaps(o deviceRule) bool {
	meet := func(a, b int64) bool { return a < 0 || b < 0 || a == b }
	return r.kind == o.kind && r.access&o.access != 0 && meet(r.major, o.major) && meet(r.minor, o.minor)
}
