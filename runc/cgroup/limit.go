package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/stages"
	"hull/trace/span"
)

// A row is one limit as the kernel takes it: a value written to a file.
type row struct {
	controller string
	file       string
	value      string
	instead    string // the file's name where another part of the kernel does it: tried if there is no file
	optional   bool   // newer kernels' second half of a limit: missing, it is no failure
	ignored    string // not written, but warned about: why
}

// write gives the file its value. The warning says that it was not.
func (r row) write(dir *os.File) (warning string, err error) {
	if r.ignored != "" {
		return r.file + ": " + r.ignored, nil
	}
	err = write(dir, r.file, r.value)
	if errors.Is(err, unix.ENOENT) && r.instead != "" {
		err = write(dir, r.instead, r.value)
	}
	if errors.Is(err, unix.ENOENT) && r.optional {
		return r.file + ": this kernel has no such file", nil
	}
	if err != nil {
		err = cannot(kindOf(err), r.controller, r.file, fmt.Errorf("write %q: %w", r.value, err))
	}
	return "", err
}

// limits is everything to be written before the first process joins.
type limits struct {
	rows    []row        // in this order
	devices []deviceRule // by a BPF program, where no v1 devices hierarchy is mounted
}

// versionOf answers which version a controller has here, by its names on both (they differ for blkio and io). An absent one is 0.
type versionOf func(v1, v2 string) int

// plan turns the spec's resources into rows, without touching anything. It fails if the machine cannot have one of them.
func plan(all []hierarchy, r *specs.LinuxResources) (l limits, err error) {
	if r == nil {
		return l, nil
	}
	version := func(v1, v2 string) int {
		for _, name := range []string{v1, v2} {
			if h := find(all, name); h != nil {
				return h.version
			}
		}
		return 0
	}
	for _, part := range []func(*specs.LinuxResources, versionOf) ([]row, error){
		cpuset, cpu, memory, pids, blockIO, hugetlb, rdma, network, unified,
	} {
		rows, err := part(r, version)
		if err != nil {
			return l, err
		}
		l.rows = append(l.rows, rows...)
	}
	for _, row := range l.rows {
		if find(all, row.controller) == nil {
			return l, cannot(stages.Unsupported, row.controller, row.file, errors.New("no mounted hierarchy has this controller"))
		}
	}
	return l, nil
}

// planDevices adds the device list, which every container has, whether its spec holds one or not.
func (l *limits) planDevices(all []hierarchy, r *specs.LinuxResources) error {
	var list []specs.LinuxDeviceCgroup
	if r != nil {
		list = r.Devices
	}
	rules, err := deviceRules(list)
	if err != nil {
		return err
	}
	if find(all, "devices") == nil {
		l.devices = rules
		return nil
	}
	rows, err := deviceRows(rules)
	l.rows = append(l.rows, rows...)
	return err
}

// limit writes the rows.
func (g *Group) limit(ctx context.Context, all []hierarchy, l limits, refused map[string]error) (warnings []string, err error) {
	if len(l.rows) == 0 && len(l.devices) == 0 {
		return nil, nil
	}
	_, sp := span.Start(ctx, stages.RuncCgroupLimits)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return warnings, err
	}
	open := map[string]*os.File{}
	defer func() {
		for _, f := range open {
			f.Close()
		}
	}()
	for _, row := range l.rows {
		if err := refused[row.controller]; err != nil {
			return nil, cannot(stages.Unsupported, row.controller, row.file, fmt.Errorf("the controller cannot be enabled: %w", err))
		}
		m := g.holding(all, row.controller)
		if open[m.Dir] == nil {
			if open[m.Dir], err = openDir(m.Dir); err != nil {
				return nil, cannot(stages.Internal, row.controller, row.file, err)
			}
		}
		warning, err := row.write(open[m.Dir])
		switch {
		case err != nil:
			return nil, err
		case warning != "":
			warnings = append(warnings, warning)
		default:
			sp.Set(row.file, row.value)
		}
	}
	if len(l.devices) == 0 {
		return warnings, nil
	}
	m := g.unified()
	if m == nil {
		return nil, cannot(stages.Unsupported, "devices", "devices.allow", errors.New("neither a v1 devices hierarchy nor cgroup v2 is mounted"))
	}
	if err := attachDevices(m.Dir, l.devices); err != nil {
		return nil, cannot(kindOf(err), "devices", m.Dir, err)
	}
	sp.SetInt("devices.rules", int64(len(l.devices)))
	return warnings, nil
}

// holding is the group's directory in the hierarchy that has the controller.
func (g *Group) holding(all []hierarchy, controller string) Member {
	for i := range all {
		if find(all[i:i+1], controller) != nil {
			return g.Members[i] // Create appended one member per hierarchy, in order
		}
	}
	return Member{}
}

// cannot is the error of a limit that cannot be had: it names the controller and the file.
func cannot(kind stages.Kind, controller, file string, err error) error {
	return &stages.Error{Step: stages.RuncCgroupLimits, Kind: kind, Thing: controller + ": " + file, Err: err}
}

// kindOf tells a wrong value from a missing right from a missing file.
func kindOf(err error) stages.Kind {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENODEV):
		return stages.Unsupported
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS):
		return stages.Denied
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ERANGE):
		return stages.Invalid
	case errors.Is(err, unix.EBUSY):
		return stages.Conflict
	}
	return stages.Internal
}
