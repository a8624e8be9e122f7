package command

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"hull/runc/container"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// resourcesLimit is the largest document of resources that is read.
const resourcesLimit = 1 << 20

// update changes limits: those of a document (--resources), or those of the flags.
func update(g *global, fs *flag.FlagSet, args []string) error {
	file := ""
	for _, name := range []string{"resources", "r"} {
		fs.StringVar(&file, name, "", "file with linux.resources as JSON; - is the standard input")
	}
	r := &specs.LinuxResources{}
	for _, l := range limitFlags {
		fs.Func(l.name, l.does, func(value string) error { return l.set(r, value) })
	}
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	if file != "" {
		if fs.NFlag() > 1 {
			return invalid("--resources", "it takes no other limit beside it")
		}
		if r, err = readResources(file); err != nil {
			return err
		}
	}
	warnings, err := container.Update(g.root, ids[0], r)
	for _, w := range warnings {
		g.log.warn(w)
	}
	return err
}

func readResources(file string) (*specs.LinuxResources, error) {
	in := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, resourcesLimit+1))
	if err != nil {
		return nil, err
	}
	r := &specs.LinuxResources{}
	if len(text) > resourcesLimit {
		return nil, invalid("--resources", fmt.Sprintf("more than %d bytes", resourcesLimit))
	}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "--resources", Err: err}
	}
	return r, nil
}

// limitFlags are runc's flags of update, each with the field that it sets. Numbers are bytes, microseconds or shares, as in the
// specification.
var limitFlags = []struct {
	name, does string
	set        func(r *specs.LinuxResources, value string) error
}{
	{"memory", "memory in bytes (k, m, g behind it); -1 is no limit", func(r *specs.LinuxResources, v string) error { return parseSize(v, &memoryOf(r).Limit) }},
	{"memory-swap", "memory and swap together, in bytes", func(r *specs.LinuxResources, v string) error { return parseSize(v, &memoryOf(r).Swap) }},
	{"memory-reservation", "memory that is left alone longest, in bytes", func(r *specs.LinuxResources, v string) error { return parseSize(v, &memoryOf(r).Reservation) }},
	{"cpu-period", "period of the quota, in microseconds", func(r *specs.LinuxResources, v string) error { return parseUint(v, &cpuOf(r).Period) }},
	{"cpu-quota", "microseconds of CPU per period; -1 is no limit", func(r *specs.LinuxResources, v string) error { return parseInt(v, &cpuOf(r).Quota) }},
	{"cpu-burst", "microseconds that may be saved up", func(r *specs.LinuxResources, v string) error { return parseUint(v, &cpuOf(r).Burst) }},
	{"cpu-share", "relative weight", func(r *specs.LinuxResources, v string) error { return parseUint(v, &cpuOf(r).Shares) }},
	{"cpu-rt-period", "period of the real-time budget, in microseconds", func(r *specs.LinuxResources, v string) error { return parseUint(v, &cpuOf(r).RealtimePeriod) }},
	{"cpu-rt-runtime", "real-time budget per period, in microseconds", func(r *specs.LinuxResources, v string) error { return parseInt(v, &cpuOf(r).RealtimeRuntime) }},
	{"cpu-idle", "1 for the idle class", func(r *specs.LinuxResources, v string) error { return parseInt(v, &cpuOf(r).Idle) }},
	{"cpuset-cpus", "CPUs, as 0-3,7", func(r *specs.LinuxResources, v string) error { cpuOf(r).Cpus = v; return nil }},
	{"cpuset-mems", "memory nodes", func(r *specs.LinuxResources, v string) error { cpuOf(r).Mems = v; return nil }},
	{"pids-limit", "number of tasks; -1 is no limit", func(r *specs.LinuxResources, v string) error {
		r.Pids = &specs.LinuxPids{}
		return parseInt(v, &r.Pids.Limit)
	}},
	{"kernel-memory", "obsolete: warned about, as by runc", func(r *specs.LinuxResources, v string) error {
		//lint:ignore SA1019 what is asked for is not overlooked
		return parseSize(v, &memoryOf(r).Kernel)
	}},
	{"kernel-memory-tcp", "obsolete: warned about, as by runc", func(r *specs.LinuxResources, v string) error { return parseSize(v, &memoryOf(r).KernelTCP) }},
	{"l3-cache-schema", "refused: there is no Intel RDT", refuseRDT},
	{"mem-bw-schema", "refused: there is no Intel RDT", refuseRDT},
	{"blkio-weight", "relative weight of disk access, 10 to 1000", func(r *specs.LinuxResources, v string) error {
		n, err := strconv.ParseUint(v, 10, 16)
		weight := uint16(n)
		r.BlockIO = &specs.LinuxBlockIO{Weight: &weight}
		return err
	}},
}

func memoryOf(r *specs.LinuxResources) *specs.LinuxMemory {
	if r.Memory == nil {
		r.Memory = &specs.LinuxMemory{}
	}
	return r.Memory
}

func cpuOf(r *specs.LinuxResources) *specs.LinuxCPU {
	if r.CPU == nil {
		r.CPU = &specs.LinuxCPU{}
	}
	return r.CPU
}

func refuseRDT(*specs.LinuxResources, string) error { return errors.New("no Intel RDT is offered") }

// parseSize reads bytes as docker's and runc's flags have them: 1048576, 1024k, 1m, 1MiB, 0.5g, or -1.
func parseSize(s string, to **int64) error {
	if s == "-1" {
		return parseInt(s, to)
	}
	digits := strings.TrimRight(strings.ToLower(s), "bi")
	shift := 0
	if digits != "" {
		if i := strings.IndexByte("kmgtp", digits[len(digits)-1]); i >= 0 {
			shift, digits = 10*(i+1), digits[:len(digits)-1]
		}
	}
	if shift == 0 {
		if err := parseInt(digits, to); err == nil && **to >= 0 {
			return nil
		}
	}
	n, err := strconv.ParseFloat(digits, 64)
	size := n * float64(int64(1)<<shift)
	if err != nil || !(size >= 0 && size < 1<<63) {
		return fmt.Errorf("%q is no size such as 64m", s)
	}
	whole := int64(size)
	*to = &whole
	return nil
}

func parseInt(s string, to **int64) error {
	n, err := strconv.ParseInt(s, 10, 64)
	*to = &n
	return err
}

func parseUint(s string, to **uint64) error {
	n, err := strconv.ParseUint(s, 10, 64)
	*to = &n
	return err
}
