package cgroup

import (
	"errors"
	"fmt"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"hull/stages"
)

// blockIO plans the rows of blkio (v1: cgroup-v1/blkio-controller.rst) or io (v2: cgroup-v2.rst "IO").
func blockIO(r *specs.LinuxResources, version versionOf) (rows []row, err error) {
	b := r.BlockIO
	if b == nil {
		return nil, nil
	}
	v2 := version("blkio", "io") == 2
	if v2 && (b.LeafWeight != nil && *b.LeafWeight != 0 || anyLeaf(b.WeightDevice)) {
		return nil, cannot(stages.Unsupported, "io", "blkio.leaf_weight", errors.New("cgroup v2 has no such limit"))
	}
	if err := checkWeights(b); err != nil {
		return nil, err
	}
	// The proportional part is done by the I/O scheduler of a device: on v1 the files are bfq's where there is no general one, with the same
	// values (block/bfq-iosched.rst).
	if b.Weight != nil && *b.Weight != 0 {
		if v2 {
			rows = append(rows, row{controller: "io", file: "io.weight", value: "default " + strconv.Itoa(ioWeight(*b.Weight))})
		} else {
			rows = append(rows, row{controller: "blkio", file: "blkio.weight", instead: "blkio.bfq.weight", value: strconv.Itoa(int(*b.Weight))})
		}
	}
	if !v2 && b.LeafWeight != nil && *b.LeafWeight != 0 {
		rows = append(rows, row{controller: "blkio", file: "blkio.leaf_weight", value: strconv.Itoa(int(*b.LeafWeight))})
	}
	for _, d := range b.WeightDevice {
		dev := fmt.Sprintf("%d:%d ", d.Major, d.Minor)
		switch {
		case v2 && d.Weight != nil:
			rows = append(rows, row{controller: "io", file: "io.weight", value: dev + strconv.Itoa(ioWeight(*d.Weight))})
		case d.Weight != nil:
			rows = append(rows, row{controller: "blkio", file: "blkio.weight_device", instead: "blkio.bfq.weight_device", value: dev + strconv.Itoa(int(*d.Weight))})
		}
		if !v2 && d.LeafWeight != nil {
			rows = append(rows, row{controller: "blkio", file: "blkio.leaf_weight_device", value: dev + strconv.Itoa(int(*d.LeafWeight))})
		}
	}
	for _, t := range []struct {
		file, key string
		devices   []specs.LinuxThrottleDevice
	}{
		{"blkio.throttle.read_bps_device", "rbps", b.ThrottleReadBpsDevice},
		{"blkio.throttle.write_bps_device", "wbps", b.ThrottleWriteBpsDevice},
		{"blkio.throttle.read_iops_device", "riops", b.ThrottleReadIOPSDevice},
		{"blkio.throttle.write_iops_device", "wiops", b.ThrottleWriteIOPSDevice},
	} {
		for _, d := range t.devices {
			dev := fmt.Sprintf("%d:%d ", d.Major, d.Minor)
			if v2 {
				rate := strconv.FormatUint(d.Rate, 10)
				if d.Rate == 0 { // v1's "no limit"
					rate = "max"
				}
				rows = append(rows, row{controller: "io", file: "io.max", value: dev + t.key + "=" + rate})
			} else {
				rows = append(rows, row{controller: "blkio", file: t.file, value: dev + strconv.FormatUint(d.Rate, 10)})
			}
		}
	}
	return rows, nil
}

// checkWeights holds all weights against the range that the specification has from cgroup v1; 0 is "not given".
func checkWeights(b *specs.LinuxBlockIO) error {
	check := func(field string, w *uint16) error {
		if w != nil && *w != 0 && (*w < 10 || *w > 1000) {
			return cannot(stages.Invalid, "blkio", "linux.resources.blockIO."+field, fmt.Errorf("%d is not between 10 and 1000", *w))
		}
		return nil
	}
	all := []error{check("weight", b.Weight), check("leafWeight", b.LeafWeight)}
	for i, d := range b.WeightDevice {
		all = append(all, check(fmt.Sprintf("weightDevice[%d].weight", i), d.Weight), check(fmt.Sprintf("weightDevice[%d].leafWeight", i), d.LeafWeight))
	}
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

func anyLeaf(devices []specs.LinuxWeightDevice) bool {
	for _, d := range devices {
		if d.LeafWeight != nil && *d.LeafWeight != 0 {
			return true
		}
	}
	return false
}

// ioWeight converts v1's blkio.weight (10 to 1000) to v2's io.weight (1 to 10000), as runc does: a straight line between the ends.
func ioWeight(v1 uint16) int { return 1 + (max(int(v1), 10)-10)*9999/990 }
