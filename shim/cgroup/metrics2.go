package cgroup

import (
	"strconv"
	"strings"

	"hull/shim/wire"
)

// metrics2 reads cgroup v2's counters. Documentation/admin-guide/cgroup-v2.rst
func metrics2(dir string) *wire.Cgroup2Metrics {
	m := &wire.Cgroup2Metrics{}
	if exists(dir, "pids.current") {
		m.Pids = &wire.Cgroup2Pids{Current: number(dir, "pids.current"), Limit: number(dir, "pids.max")}
	}
	if exists(dir, "cpu.stat") { // there without the controller as well, and then shorter
		m.CPU = &wire.Cgroup2CPU{PSI: pressure(dir, "cpu.pressure")}
		fill(m.CPU.Stat(), numbers(dir, "cpu.stat"))
	}
	if exists(dir, "memory.stat") {
		m.Memory = memory2(dir)
		m.MemoryEvents = &wire.Cgroup2MemoryEvents{}
		fill(m.MemoryEvents.Stat(), numbers(dir, "memory.events"))
	}
	if exists(dir, "io.stat") {
		m.Io = &wire.Cgroup2IO{Usage: io2(dir), PSI: pressure(dir, "io.pressure")}
	}
	for _, size := range pageSizes(dir, "current") {
		file := "hugetlb." + size
		m.Hugetlb = append(m.Hugetlb, &wire.Cgroup2Hugetlb{
			Pagesize: size, Current: number(dir, file+".current"), Max: number(dir, file+".max"), Failcnt: numbers(dir, file+".events")["max"],
		})
	}
	return m
}

func memory2(dir string) *wire.Cgroup2Memory {
	m := &wire.Cgroup2Memory{PSI: pressure(dir, "memory.pressure")}
	stat := numbers(dir, "memory.stat")
	// Linux 5.9 counts these two apart, for memory and for files; the message has their sum.
	for _, name := range []string{"workingset_refault", "workingset_activate"} {
		stat[name] += stat[name+"_anon"] + stat[name+"_file"]
	}
	fill(m.Stat(), stat)
	for _, f := range m.Files() {
		*f.Value = number(dir, f.Name)
	}
	return m
}

// io2 reads io.stat: "MAJOR:MINOR rbytes=N wbytes=N rios=N wios=N …".
func io2(dir string) (all []*wire.Cgroup2IOEntry) {
	for _, f := range lines(dir, "io.stat") {
		e := &wire.Cgroup2IOEntry{}
		var ok bool
		if e.Major, e.Minor, ok = device(f[0]); !ok {
			continue
		}
		for _, word := range f[1:] {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "rbytes":
				e.Rbytes = parseNumber(value)
			case "wbytes":
				e.Wbytes = parseNumber(value)
			case "rios":
				e.Rios = parseNumber(value)
			case "wios":
				e.Wios = parseNumber(value)
			}
		}
		all = append(all, e)
	}
	return all
}

// pressure reads a file of two lines "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"; nil where the kernel does not count it.
// Documentation/accounting/psi.rst
func pressure(dir, name string) *wire.PSIStats {
	all := lines(dir, name)
	if len(all) == 0 {
		return nil
	}
	p := &wire.PSIStats{}
	for _, f := range all {
		d := &wire.PSIData{}
		switch f[0] {
		case "some":
			p.Some = d
		case "full":
			p.Full = d
		}
		for _, word := range f[1:] {
			key, value, _ := strings.Cut(word, "=")
			percent, _ := strconv.ParseFloat(value, 64)
			switch key {
			case "avg10":
				d.Avg10 = percent
			case "avg60":
				d.Avg60 = percent
			case "avg300":
				d.Avg300 = percent
			case "total":
				d.Total = parseNumber(value)
			}
		}
	}
	return p
}
