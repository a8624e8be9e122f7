package spec

import (
	"fmt"
	"reflect"

	"github.com/moby/moby/api/types/blkiodev"
	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// resources turns docker's limits into the spec's. A limit that was asked for and cannot be had here is an error that names it; the swap
// that docker adds by default is clamped with a warning.
func resources(r *container.Resources) (out *specs.LinuxResources, warnings []string, err error) {
	if err := offered(r); err != nil {
		return nil, nil, err
	}
	out = &specs.LinuxResources{}
	if warnings, err = memory(r, out); err != nil {
		return nil, nil, err
	}
	for _, part := range []func(*container.Resources, *specs.LinuxResources) error{cpu, cpuset, pids, blockIO} {
		if err := part(r, out); err != nil {
			return nil, nil, err
		}
	}
	return out, warnings, nil
}

// offered refuses the limits that this machine's cgroups do not have.
func offered(r *container.Resources) error {
	is := func(b *bool) bool { return b != nil && *b }
	for _, l := range []struct {
		asked                    bool
		flag                     string
		controller, file1, file2 string // on v1 and v2; "" where the version has no such limit
	}{
		{r.Memory > 0, "--memory", "memory", "memory.limit_in_bytes", "memory.max"},
		{r.MemorySwap > 0, "--memory-swap", "memory", "memory.memsw.limit_in_bytes", "memory.swap.max"},
		{r.MemoryReservation > 0, "--memory-reservation", "memory", "memory.soft_limit_in_bytes", "memory.low"},
		{r.MemorySwappiness != nil, "--memory-swappiness", "memory", "memory.swappiness", ""},
		{is(r.OomKillDisable), "--oom-kill-disable", "memory", "memory.oom_control", ""},
		{r.CPUShares > 0, "--cpu-shares", "cpu", "cpu.shares", "cpu.weight"},
		{r.NanoCPUs > 0, "--cpus", "cpu", "cpu.cfs_quota_us", "cpu.max"},
		{r.CPUPeriod != 0, "--cpu-period", "cpu", "cpu.cfs_period_us", "cpu.max"},
		{r.CPUQuota != 0, "--cpu-quota", "cpu", "cpu.cfs_quota_us", "cpu.max"},
		{r.CpusetCpus != "", "--cpuset-cpus", "cpuset", "cpuset.cpus", "cpuset.cpus"},
		{r.CpusetMems != "", "--cpuset-mems", "cpuset", "cpuset.mems", "cpuset.mems"},
		{r.PidsLimit != nil && *r.PidsLimit > 0, "--pids-limit", "pids", "", "pids.max"}, // no file in the root of v1
		{r.BlkioWeight > 0, "--blkio-weight", "blkio", "blkio.weight", "io.weight"},
		{len(r.BlkioWeightDevice) > 0, "--blkio-weight-device", "blkio", "blkio.weight_device", "io.weight"},
		{len(r.BlkioDeviceReadBps) > 0, "--device-read-bps", "blkio", "blkio.throttle.read_bps_device", "io.max"},
		{len(r.BlkioDeviceWriteBps) > 0, "--device-write-bps", "blkio", "blkio.throttle.write_bps_device", "io.max"},
		{len(r.BlkioDeviceReadIOps) > 0, "--device-read-iops", "blkio", "blkio.throttle.read_iops_device", "io.max"},
		{len(r.BlkioDeviceWriteIOps) > 0, "--device-write-iops", "blkio", "blkio.throttle.write_iops_device", "io.max"},
	} {
		here := machine().offers(l.controller, l.file1, l.file2)
		if l.controller == "pids" {
			here = machine().version("pids", "pids") != 0
		}
		if l.asked && !here {
			return cannot(l.flag, fmt.Sprintf("the %s controller of this machine has no such limit", l.controller))
		}
	}
	return nil
}

// pids limits the number of tasks. docker's 0 and -1 are no limit.
func pids(r *container.Resources, out *specs.LinuxResources) error {
	if r.PidsLimit == nil {
		return nil
	}
	switch limit := *r.PidsLimit; {
	case limit < -1:
		return invalid("invalid pids limit %d: it must be positive, or -1 for unlimited", limit)
	case limit > 0:
		out.Pids = &specs.LinuxPids{Limit: &limit}
	}
	return nil
}

// blockIO limits the use of block devices, which are named by the host's paths.
func blockIO(r *container.Resources, out *specs.LinuxResources) error {
	if r.BlkioWeight > 0 && (r.BlkioWeight < 10 || r.BlkioWeight > 1000) {
		return invalid("Range of blkio weight is from 10 to 1000")
	}
	b := &specs.LinuxBlockIO{}
	if r.BlkioWeight > 0 {
		weight := r.BlkioWeight
		b.Weight = &weight
	}
	for _, d := range r.BlkioWeightDevice {
		major, minor, err := deviceNumber(d.Path)
		if err != nil {
			return err
		}
		weight := specs.LinuxWeightDevice{Weight: &d.Weight}
		weight.Major, weight.Minor = major, minor
		b.WeightDevice = append(b.WeightDevice, weight)
	}
	for i, list := range []*[]specs.LinuxThrottleDevice{
		&b.ThrottleReadBpsDevice, &b.ThrottleWriteBpsDevice, &b.ThrottleReadIOPSDevice, &b.ThrottleWriteIOPSDevice,
	} {
		for _, d := range [...][]*blkiodev.ThrottleDevice{r.BlkioDeviceReadBps, r.BlkioDeviceWriteBps, r.BlkioDeviceReadIOps, r.BlkioDeviceWriteIOps}[i] {
			major, minor, err := deviceNumber(d.Path)
			if err != nil {
				return err
			}
			limit := specs.LinuxThrottleDevice{Rate: d.Rate}
			limit.Major, limit.Minor = major, minor
			*list = append(*list, limit)
		}
	}
	if !empty(reflect.ValueOf(*b)) {
		out.BlockIO = b
	}
	return nil
}

// deviceNumber is the device behind a node of the host's: its number is what the kernel limits.
func deviceNumber(path string) (major, minor int64, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, 0, invalid("stat %s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return 0, 0, invalid("%s is not a block device", path)
	}
	return int64(unix.Major(st.Rdev)), int64(unix.Minor(st.Rdev)), nil
}
