package command_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A policy of scheduling is the process's, as the kernel tells it from outside, and that of one that joins.
func TestScheduler(t *testing.T) {
	budget, period := int64(100_000), uint64(1_000_000) // µs: the cpu controller of this kernel may count real time (RT_GROUP_SCHED)
	for name, c := range map[string]struct {
		ask  specs.Scheduler
		want unix.SchedAttr
	}{
		"other": {specs.Scheduler{Policy: specs.SchedOther, Nice: 7}, unix.SchedAttr{Policy: unix.SCHED_NORMAL, Nice: 7}},
		"nicer": {specs.Scheduler{Policy: specs.SchedBatch, Nice: -5}, unix.SchedAttr{Policy: unix.SCHED_BATCH, Nice: -5}},
		"fifo":  {specs.Scheduler{Policy: specs.SchedFIFO, Priority: 3}, unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 3}},
		"rr": {
			specs.Scheduler{Policy: specs.SchedRR, Priority: 2, Flags: []specs.LinuxSchedulerFlag{specs.SchedFlagResetOnFork}},
			unix.SchedAttr{Policy: unix.SCHED_RR, Priority: 2, Flags: unix.SCHED_FLAG_RESET_ON_FORK},
		},
		"deadline": {
			specs.Scheduler{Policy: specs.SchedDeadline, Runtime: 100_000_000, Deadline: 500_000_000, Period: 1_000_000_000},
			unix.SchedAttr{Policy: unix.SCHED_DEADLINE, Runtime: 100_000_000, Deadline: 500_000_000, Period: 1_000_000_000},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, id, pid := running(t, func(s *specs.Spec) {
				s.Process.Scheduler = &c.ask
				if c.ask.Priority > 0 {
					s.Linux.Resources = &specs.LinuxResources{CPU: &specs.LinuxCPU{RealtimeRuntime: &budget, RealtimePeriod: &period}}
				}
			})
			joined, _, err := b.detached(id, b.process(func(p *specs.Process) { p.Scheduler = nil }, "sleep", "1000"))
			require.NoError(t, err)
			for _, pid := range []int{pid, joined} {
				have, err := unix.SchedGetAttr(pid, 0)
				require.NoError(t, err)
				c.want.Size, have.Util_min, have.Util_max = have.Size, 0, 0
				if c.want.Runtime == 0 { // the kernel tells the slice of a fair policy here (Linux 6.12)
					have.Runtime = 0
				}
				require.Equal(t, c.want, *have)
			}
			require.NoError(t, unix.Kill(joined, unix.SIGKILL))
			reap(t, joined)
		})
	}
}

// Without a budget the kernel refuses a real-time policy; the error says which field grants one, and nothing is left.
func TestSchedulerWithoutABudget(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedFIFO, Priority: 1} })
	if _, err := unix.Open("/sys/fs/cgroup/cpu/cpu.rt_runtime_us", unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		id := b.id("rt")
		pid, _ := b.create(id)
		b.must("delete", "--force", id)
		reap(t, pid)
		return // this kernel's cpu controller does not count real time
	}
	line := b.createFails(b.id("rt"))
	require.Contains(t, line, "process.scheduler: sched_setattr: operation not permitted")
	require.Contains(t, line, "linux.resources.cpu.realtimeRuntime")
}

// Disk priority, memory policy and personality, of the first process and of one that joins.
func TestOtherAttributes(t *testing.T) {
	b, id, pid := running(t, func(s *specs.Spec) {
		s.Process.IOPriority = &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_BE, Priority: 6}
		s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolBind, Nodes: "0", Flags: []specs.MemoryPolicyFlagType{specs.MpolFStaticNodes}}
		s.Linux.Personality = &specs.LinuxPersonality{Domain: specs.PerLinux32}
	})
	joined, _, err := b.detached(id, b.process(nil, "sleep", "1000"))
	require.NoError(t, err)
	for _, pid := range []int{pid, joined} {
		priority, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, 1, uintptr(pid), 0) // IOPRIO_WHO_PROCESS
		require.Zero(t, errno)
		require.Equal(t, uintptr(2<<13|6), priority)
		require.Contains(t, read(t, fmt.Sprintf("/proc/%d/numa_maps", pid)), " bind=static:0 ")
		require.Equal(t, "00000008\n", read(t, fmt.Sprintf("/proc/%d/personality", pid)))
	}
	require.NoError(t, unix.Kill(joined, unix.SIGKILL))
	reap(t, joined)
	// The document of a process goes before the container's.
	own, _, err := b.detached(id, b.process(func(p *specs.Process) {
		p.IOPriority = &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_IDLE}
	}, "sleep", "1000"))
	require.NoError(t, err)
	priority, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, 1, uintptr(own), 0)
	require.Zero(t, errno)
	require.Equal(t, uintptr(3<<13), priority)
	require.NoError(t, unix.Kill(own, unix.SIGKILL))
	reap(t, own)
}

// The CPUs of a process that joins: final ones after it is in its cgroups; without them it keeps the initial ones.
func TestExecCPUAffinity(t *testing.T) {
	var all unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &all))
	last := 0
	for n := range 1024 {
		if all.IsSet(n) {
			last = n
		}
	}
	b, id, first := running(t, func(s *specs.Spec) {
		s.Process.ExecCPUAffinity = &specs.CPUAffinity{Initial: "0-1023", Final: fmt.Sprint(last)}
	})
	require.Equal(t, affinity(t, 0), affinity(t, first), "not of the first process")
	for want, ask := range map[string]*specs.CPUAffinity{
		"0":              {Initial: fmt.Sprint(last), Final: "0"},
		fmt.Sprint(last): nil, // the container's
		"initial":        {Initial: fmt.Sprint(last)},
	} {
		pid, _, err := b.detached(id, b.process(func(p *specs.Process) { p.ExecCPUAffinity = ask }, "sleep", "1000"))
		require.NoError(t, err)
		if want == "initial" {
			want = fmt.Sprint(last)
		}
		require.Equal(t, want, affinity(t, pid))
		require.NoError(t, unix.Kill(pid, unix.SIGKILL))
		reap(t, pid)
	}
	_, _, err := b.detached(id, b.process(func(p *specs.Process) { p.ExecCPUAffinity = &specs.CPUAffinity{Initial: "1023"} }, "true"))
	require.ErrorContains(t, err, "process.execCPUAffinity.initial")
}

func affinity(t *testing.T, pid int) string {
	if pid == 0 {
		pid = unix.Getpid()
	}
	return statusField(t, pid, "Cpus_allowed_list")
}

// A capability that only a later kernel knows is left out with a warning, as one that this system does not grant; the others are there.
func TestUnknownCapability(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Capabilities.Bounding = append(s.Process.Capabilities.Bounding, "CAP_OF_TOMORROW")
		s.Process.Args = []string{"sleep", "1000"}
	})
	id := b.id("caps")
	log := t.TempDir() + "/log"
	b.must("--log", log, "create", "--bundle", b.bundle, "--pid-file", b.bundle+"/pid", id)
	require.Contains(t, read(t, log), "CAP_OF_TOMORROW is left out")
	var pid int
	_, err := fmt.Sscan(read(t, b.bundle+"/pid"), &pid)
	require.NoError(t, err)
	b.must("start", id)
	require.Equal(t, "00000000a80425fb", statusField(t, pid, "CapBnd"))
	b.must("delete", "--force", id)
	reap(t, pid)
}

// What the specification says of the process and cannot be had is refused by the field's name, before anything is made: not even the
// directory of states.
func TestBadProcess(t *testing.T) {
	b := newBench(t, nil)
	mask := uint32(0o1000)
	for want, change := range map[string]func(*specs.Spec){
		"process.scheduler: there is no policy \"SCHED_ISO\"": func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedISO} },
		"process.scheduler: there is no policy \"\"":          func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{} },
		"process.scheduler: nice 20":                          func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedOther, Nice: 20} },
		"process.scheduler: priority 100":                     func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedRR, Priority: 100} },
		"process.scheduler: priority 0":                       func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedFIFO} },
		"process.scheduler: priority belongs":                 func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedIdle, Priority: 1} },
		"process.scheduler: runtime, deadline":                func(s *specs.Spec) { s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedOther, Period: 1} },
		"process.scheduler: SCHED_DEADLINE wants": func(s *specs.Spec) {
			s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedDeadline, Runtime: 2000, Deadline: 1500}
		},
		"process.scheduler: there is no flag": func(s *specs.Spec) {
			s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedOther, Flags: []specs.LinuxSchedulerFlag{"X"}}
		},
		"process.ioPriority: there is no class \"\"": func(s *specs.Spec) { s.Process.IOPriority = &specs.LinuxIOPriority{} },
		"process.ioPriority: priority 8": func(s *specs.Spec) {
			s.Process.IOPriority = &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_RT, Priority: 8}
		},
		"process.execCPUAffinity: initial: \"0-x\" is not": func(s *specs.Spec) { s.Process.ExecCPUAffinity = &specs.CPUAffinity{Initial: "0-x"} },
		"process.execCPUAffinity: final: \"3-1\" is not":   func(s *specs.Spec) { s.Process.ExecCPUAffinity = &specs.CPUAffinity{Final: "3-1"} },
		"process.execCPUAffinity: final: 1024 is above":    func(s *specs.Spec) { s.Process.ExecCPUAffinity = &specs.CPUAffinity{Final: "1,1024"} },
		"process.execCPUAffinity: final: a list without":   func(s *specs.Spec) { s.Process.ExecCPUAffinity = &specs.CPUAffinity{Final: ","} },
		"linux.memoryPolicy: there is no mode":             func(s *specs.Spec) { s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: "X"} },
		"linux.memoryPolicy: MPOL_LOCAL takes no": func(s *specs.Spec) {
			s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolLocal, Nodes: "0"}
		},
		"linux.memoryPolicy: MPOL_BIND wants": func(s *specs.Spec) { s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolBind} },
		"linux.memoryPolicy: nodes: ": func(s *specs.Spec) {
			s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolBind, Nodes: "-1"}
		},
		"linux.memoryPolicy: there is no flag": func(s *specs.Spec) {
			s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolBind, Nodes: "0", Flags: []specs.MemoryPolicyFlagType{"X"}}
		},
		"linux.personality: \"BSD\" is neither": func(s *specs.Spec) { s.Linux.Personality = &specs.LinuxPersonality{Domain: "BSD"} },
		"linux.personality: flag \"X\"": func(s *specs.Spec) {
			s.Linux.Personality = &specs.LinuxPersonality{Domain: specs.PerLinux, Flags: []specs.LinuxPersonalityFlag{"X"}}
		},
		"process.user.uid: 4294967295":            func(s *specs.Spec) { s.Process.User.UID = 1<<32 - 1 },
		"process.user.gid: 4294967295":            func(s *specs.Spec) { s.Process.User.GID = 1<<32 - 1 },
		"process.user.additionalGids: 4294967295": func(s *specs.Spec) { s.Process.User.AdditionalGids = []uint32{1, 1<<32 - 1} },
		"process.user.umask: 01000":               func(s *specs.Spec) { s.Process.User.Umask = &mask },
		"process.rlimits[0] RLIMIT_X: unknown":    func(s *specs.Spec) { s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_X"}} },
		"process.rlimits[1] RLIMIT_CPU: given twice": func(s *specs.Spec) {
			s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_CPU"}, {Type: "RLIMIT_CPU"}}
		},
		"process.capabilities.ambient: unknown capability \"X\"": func(s *specs.Spec) { s.Process.Capabilities.Ambient = []string{"X"} },
		"process.capabilities.bounding: unknown capability":      func(s *specs.Spec) { s.Process.Capabilities.Bounding[0] = "chown" },
		"linux.intelRdt": func(s *specs.Spec) { s.Linux.IntelRdt = &specs.LinuxIntelRdt{} },
	} {
		b.spec = defaultSpec()
		change(b.spec)
		require.Contains(t, b.createFails(b.id("bad")), want)
		require.NoDirExists(t, b.root, want)
	}
}

// A label for a security module that does not run here would confine nothing: it is refused. Where the module runs, a profile or context that
// it does not have is refused by it, which shows that the write arrives.
func TestLabels(t *testing.T) {
	b := newBench(t, nil)
	for want, change := range map[string]func(*specs.Spec){
		"process.apparmorProfile: ": func(s *specs.Spec) { s.Process.ApparmorProfile = "hull-no-such-profile" },
		"process.selinuxLabel: ":    func(s *specs.Spec) { s.Process.SelinuxLabel = "hull:no:such:context" },
	} {
		b.spec = defaultSpec()
		change(b.spec)
		line := b.createFails(b.id("label"))
		require.Contains(t, line, want)
		require.True(t, strings.Contains(line, "this kernel does not run") || strings.Contains(line, want+"write: "), line)
	}
}

// A compiled filter is used again by the next container with the same profile; it is no container, and a dry run leaves none.
func TestFilterCache(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Linux.Seccomp = dockers(t) })
	b.must("plan", b.bundle)
	require.NoDirExists(t, b.root)
	var inode uint64
	for _, name := range []string{"first", "second"} {
		out, code := b.inside(name, "grep -c '^Seccomp:.*2' /proc/self/status")
		require.Zero(t, code)
		require.Equal(t, "1\n", out)
		require.Empty(t, b.must("--log", b.bundle+"/log", "list", "-q"))
		files, err := filepath.Glob(b.root + "/cache:seccomp/*")
		require.NoError(t, err)
		require.Len(t, files, 1)
		var st unix.Stat_t
		require.NoError(t, unix.Stat(files[0], &st))
		require.True(t, inode == 0 || inode == st.Ino, "it was written again")
		inode = st.Ino
	}
	require.NoFileExists(t, b.bundle+"/log", "list has nothing to warn of")
}
