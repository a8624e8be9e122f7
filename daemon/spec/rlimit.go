package spec

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// ulimits are docker's names of the resource limits (setrlimit(2)), and the kernel's numbers of them.
var ulimits = map[string]int{
	"core": unix.RLIMIT_CORE, "cpu": unix.RLIMIT_CPU, "data": unix.RLIMIT_DATA, "fsize": unix.RLIMIT_FSIZE, "locks": unix.RLIMIT_LOCKS,
	"memlock": unix.RLIMIT_MEMLOCK, "msgqueue": unix.RLIMIT_MSGQUEUE, "nice": unix.RLIMIT_NICE, "nofile": unix.RLIMIT_NOFILE,
	"nproc": unix.RLIMIT_NPROC, "rss": unix.RLIMIT_RSS, "rtprio": unix.RLIMIT_RTPRIO, "rttime": unix.RLIMIT_RTTIME,
	"sigpending": unix.RLIMIT_SIGPENDING, "stack": unix.RLIMIT_STACK, "as": unix.RLIMIT_AS,
}

// rlimits turns --ulimit into the spec's limits. A hard limit above the one that this daemon has itself needs CAP_SYS_RESOURCE.
func rlimits(list []*container.Ulimit) (out []specs.POSIXRlimit, err error) {
	for _, l := range list {
		resource, ok := ulimits[l.Name]
		if !ok {
			return nil, invalid("invalid ulimit type: %s", l.Name)
		}
		soft, hard := uint64(l.Soft), uint64(l.Hard) // -1 is RLIM_INFINITY, all bits
		if soft > hard {
			return nil, invalid("ulimit soft limit must be less than or equal to hard limit: %d > %d", l.Soft, l.Hard)
		}
		var own unix.Rlimit
		if err := unix.Getrlimit(resource, &own); err != nil {
			return nil, fmt.Errorf("getrlimit %s: %w", l.Name, err)
		}
		if hard > own.Max && !holds("CAP_SYS_RESOURCE") {
			return nil, cannot(fmt.Sprintf("--ulimit %s=%d:%d", l.Name, l.Soft, l.Hard),
				fmt.Sprintf("without CAP_SYS_RESOURCE the hard limit cannot be raised above %s", limitText(own.Max)))
		}
		typ := "RLIMIT_" + strings.ToUpper(l.Name)
		if slices.ContainsFunc(out, func(r specs.POSIXRlimit) bool { return r.Type == typ }) {
			return nil, invalid("ulimit %s is given twice", l.Name)
		}
		out = append(out, specs.POSIXRlimit{Type: typ, Hard: hard, Soft: soft})
	}
	return out, nil
}

func limitText(n uint64) string {
	if n == math.MaxUint64 {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}

// oomScore checks --oom-score-adj. Below what this daemon was given itself it needs CAP_SYS_RESOURCE (proc_pid_oom_score_adj(5)).
func oomScore(adj int) (*int, error) {
	if adj < -1000 || adj > 1000 {
		return nil, invalid("Invalid value %d, range for oom score adj is [-1000, 1000]", adj)
	}
	text, _ := os.ReadFile("/proc/self/oom_score_adj")
	own, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err == nil && adj < own && adj != 0 && !holds("CAP_SYS_RESOURCE") {
		return nil, cannot(fmt.Sprintf("--oom-score-adj %d", adj), fmt.Sprintf("without CAP_SYS_RESOURCE it cannot be lowered below %d", own))
	}
	return &adj, nil
}
