package seccomp

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	moby "github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A call is what the kernel hands the filter.
type call struct {
	nr, arch uint32
	args     [6]uint64
}

// data is the call as x/net/bpf's machine reads it: that machine loads words big-endian, so each word is laid down that way. The low half
// of an argument still comes first, as on the real machines.
func (c call) data() []byte {
	var b []byte
	for _, w := range []uint32{c.nr, c.arch, 0, 0} {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	for _, a := range c.args {
		b = binary.BigEndian.AppendUint32(b, uint32(a))
		b = binary.BigEndian.AppendUint32(b, uint32(a>>32))
	}
	return b
}

// machine runs a filter outside the kernel.
func machine(t testing.TB, f Filter) *bpf.VM {
	t.Helper()
	var raw []bpf.RawInstruction
	for _, i := range f.Insns {
		raw = append(raw, bpf.RawInstruction{Op: i.Code, Jt: i.Jt, Jf: i.Jf, K: i.K})
	}
	insns, all := bpf.Disassemble(raw)
	require.True(t, all)
	vm, err := bpf.NewVM(insns)
	require.NoError(t, err)
	return vm
}

// A reader answers from the profile itself, with nothing of the compiler but the table of names: what the filter must say.
type reader struct {
	*specs.LinuxSeccomp
	goarch string
	rules  [columns]map[uint32][]*specs.LinuxSyscall // in the profile's order
}

func read(p *specs.LinuxSeccomp, goarch string) reader {
	r := reader{LinuxSeccomp: p, goarch: goarch}
	for column := range columns {
		r.rules[column] = map[uint32][]*specs.LinuxSyscall{}
		for i := range p.Syscalls {
			for _, name := range p.Syscalls[i].Names {
				if nr, ok := number(name, column); ok {
					r.rules[column][nr] = append(r.rules[column][nr], &p.Syscalls[i])
				}
			}
		}
	}
	return r
}

func (p reader) evaluate(c call) uint32 {
	goarch := p.goarch
	var tables []specs.Arch
	native := map[string]specs.Arch{"amd64": specs.ArchX86_64, "arm64": specs.ArchAARCH64}[goarch]
	for _, arch := range append([]specs.Arch{native}, p.Architectures...) {
		if auditOf[goarch][arch] == c.arch && c.arch != 0 && !slices.Contains(tables, arch) {
			tables = append(tables, arch)
		}
	}
	if len(tables) == 0 {
		return unix.SECCOMP_RET_KILL_PROCESS
	}
	nr, table := c.nr, tables[0]
	if c.arch == unix.AUDIT_ARCH_X86_64 && nr >= 0x40000000 && nr != math.MaxUint32 {
		if !slices.Contains(tables, specs.ArchX32) {
			return unix.SECCOMP_RET_KILL_PROCESS
		}
		table, nr = specs.ArchX32, nr-0x40000000
	}
	args := c.args
	width := uint64(math.MaxUint64)
	if table == specs.ArchX86 || table == specs.ArchX32 || table == specs.ArchARM {
		width = math.MaxUint32
	}
	standard := verdictOf(p.DefaultAction, p.DefaultErrnoRet)
	found, result := false, standard
	for _, s := range p.rules[columnOf[table]][nr] {
		act := verdictOf(s.Action, s.ErrnoRet)
		switch {
		case act == standard:
		case len(s.Args) == 0:
			return act // an unconditional rule decides, wherever it stands
		case !found && holds(s.Args, args, width):
			found, result = true, act
		}
	}
	return result
}

var auditOf = map[string]map[specs.Arch]uint32{
	"amd64": {specs.ArchX86_64: unix.AUDIT_ARCH_X86_64, specs.ArchX86: unix.AUDIT_ARCH_I386, specs.ArchX32: unix.AUDIT_ARCH_X86_64},
	"arm64": {specs.ArchAARCH64: unix.AUDIT_ARCH_AARCH64, specs.ArchARM: unix.AUDIT_ARCH_ARM},
}

var columnOf = map[specs.Arch]int{
	specs.ArchX86_64: columnAMD64, specs.ArchX86: columnX86, specs.ArchX32: columnX32, specs.ArchAARCH64: columnARM64, specs.ArchARM: columnARM,
}

func verdictOf(a specs.LinuxSeccompAction, ret *uint) uint32 {
	data := uint32(unix.EPERM)
	if ret != nil {
		data = uint32(*ret)
	}
	return map[specs.LinuxSeccompAction]uint32{
		specs.ActKill: 0, specs.ActKillThread: 0, specs.ActKillProcess: 0x80000000, specs.ActTrap: 0x00030000,
		specs.ActErrno: 0x00050000 | data, specs.ActTrace: 0x7ff00000 | data, specs.ActLog: 0x7ffc0000, specs.ActAllow: 0x7fff0000, specs.ActNotify: 0x7fc00000,
	}[a]
}

func holds(when []specs.LinuxSeccompArg, args [6]uint64, width uint64) bool {
	count := map[uint]int{}
	one, all := false, true
	for _, c := range when {
		a, v := args[c.Index]&width, c.Value&width
		ok := false
		switch c.Op {
		case specs.OpEqualTo:
			ok = a == v
		case specs.OpNotEqual:
			ok = a != v
		case specs.OpLessThan:
			ok = a < v
		case specs.OpLessEqual:
			ok = a <= v
		case specs.OpGreaterThan:
			ok = a > v
		case specs.OpGreaterEqual:
			ok = a >= v
		case specs.OpMaskedEqual:
			ok = a&v == c.ValueTwo&width
		}
		one, all = one || ok, all && ok
		count[c.Index]++
	}
	for _, n := range count {
		if n > 1 {
			return one
		}
	}
	return all
}

// numbersToAsk lists the numbers worth asking about: every one that a table could hold, and the edges of the tables.
func numbersToAsk() (list []uint32) {
	for nr := uint32(0); nr <= 600; nr++ {
		list = append(list, nr, x32Bit|nr)
	}
	for nr := uint32(0xf0000); nr < 0xf0010; nr++ {
		list = append(list, nr)
	}
	return append(list, 1023, 0xffff, x32Bit-1, x32Bit|0xffff, 1<<31-1, 1<<31, 1<<31|59, 3<<30, 3<<30|520, math.MaxUint32-1, math.MaxUint32)
}

// argumentsToAsk lists, for each argument of the call that a rule looks at, the values at which a comparison could change its mind. The
// number is taken as each architecture's: a rule of one must not leak into another's call of the same number.
func (p reader) argumentsToAsk(nr uint32) map[uint][]uint64 {
	ask := map[uint][]uint64{}
	for column := range columns {
		for _, s := range p.rules[column][nr] {
			for _, a := range s.Args {
				for _, v := range []uint64{a.Value, a.ValueTwo, a.Value | a.ValueTwo} {
					ask[a.Index] = append(ask[a.Index], v-1, v, v+1, ^v, v^1<<32, v|1<<63, v<<32, uint64(uint32(v)))
				}
			}
		}
	}
	for i := range ask {
		ask[i] = append(ask[i], 0, 1, 1<<31, 1<<32, math.MaxUint32, math.MaxUint64)
		slices.Sort(ask[i])
		ask[i] = slices.Compact(ask[i])
	}
	return ask
}

// togetherToAsk lists, for each rule of the call that looks at several arguments, their values at and around the bounds, in all
// combinations: a rule holds only where all of its conditions do.
func (p reader) togetherToAsk(nr uint32) (list [][6]uint64) {
	for column := range columns {
		for _, s := range p.rules[column][nr] {
			if len(s.Args) < 2 {
				continue
			}
			combinations := [][6]uint64{{}}
			for _, a := range s.Args[:min(len(s.Args), 3)] {
				var more [][6]uint64
				for _, c := range combinations {
					for _, v := range []uint64{a.Value - 1, a.Value, a.Value + 1, a.ValueTwo} {
						c[a.Index] = v
						more = append(more, c)
					}
				}
				combinations = more
			}
			list = append(list, combinations...)
		}
	}
	return list
}

// compare asks filter and profile about everything, and returns how many questions that were.
func compare(t *testing.T, p *specs.LinuxSeccomp, goarch string) (questions int) {
	t.Helper()
	f, err := compile(p, goarch)
	require.NoError(t, err)
	vm := machine(t, f)
	audits := []uint32{unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64, unix.AUDIT_ARCH_ARM, unix.AUDIT_ARCH_RISCV64, 0}
	r := read(p, goarch)
	question := func(c call) {
		got, err := vm.Run(c.data())
		require.NoError(t, err)
		if want := r.evaluate(c); uint32(got) != want {
			t.Fatalf("%s: call %+v: the filter says %#x, the profile %#x", goarch, c, uint32(got), want)
		}
		questions++
	}
	for _, arch := range audits {
		for _, nr := range numbersToAsk() {
			c := call{nr: nr, arch: arch}
			question(c)
			c.args = [6]uint64{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}
			question(c)
			for _, c.args = range r.togetherToAsk(nr &^ x32Bit) {
				question(c)
			}
			for index, values := range r.argumentsToAsk(nr &^ x32Bit) {
				for _, v := range values {
					c.args = [6]uint64{}
					c.args[index] = v
					question(c)
				}
			}
		}
	}
	return questions
}

// dockers is moby's default profile for a container with docker's default capabilities.
func dockers(t testing.TB, goarch string, capabilities ...string) *specs.LinuxSeccomp {
	t.Helper()
	if capabilities == nil {
		capabilities = []string{
			"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
			"CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
		}
	}
	p, err := moby.GetDefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: capabilities}}})
	require.NoError(t, err)
	if goarch == "arm64" { // the profile filters itself by the machine it runs on; its rules are nearly the same everywhere
		p.Architectures = []specs.Arch{specs.ArchAARCH64, specs.ArchARM}
	} else {
		p.Architectures = []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}
	}
	return p
}

func TestDockersProfileSaysTheSameInTheFilter(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		for _, capabilities := range [][]string{nil, {"CAP_SYS_ADMIN", "CAP_BPF", "CAP_SYS_PTRACE"}, {}} {
			p := dockers(t, goarch, capabilities...)
			f, err := compile(p, goarch)
			require.NoError(t, err)
			t.Logf("%s, capabilities %v: %d instructions, %d questions", goarch, capabilities, len(f.Insns), compare(t, p, goarch))
			p.Architectures = nil
			f, err = compile(p, goarch)
			require.NoError(t, err)
			t.Logf("%s alone: %d instructions, %d questions", goarch, len(f.Insns), compare(t, p, goarch))
		}
	}
}

func TestEveryComparisonAndAction(t *testing.T) {
	nine := uint(9)
	actions := []specs.LinuxSyscall{
		{Action: specs.ActErrno},
		{Action: specs.ActErrno, ErrnoRet: &nine},
		{Action: specs.ActTrace, ErrnoRet: &nine},
		{Action: specs.ActKill},
		{Action: specs.ActKillProcess},
		{Action: specs.ActTrap},
		{Action: specs.ActLog},
		{Action: specs.ActAllow},
		{Action: specs.ActNotify},
	}
	ops := []specs.LinuxSeccompOperator{
		specs.OpEqualTo, specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpGreaterThan, specs.OpGreaterEqual, specs.OpMaskedEqual,
	}
	values := []uint64{0, 1, 0xffffffff, 1 << 32, 0x1_0000_0001, 0x8000_0000_0000_0000, math.MaxUint64, 0x00ff_00ff_00ff_00ff}
	names := []string{"read", "ioctl", "socket", "clone", "personality", "prctl", "mmap", "mmap2", "rt_sigaction"}
	for _, standard := range []specs.LinuxSeccompAction{specs.ActErrno, specs.ActAllow, specs.ActKillProcess} {
		p := &specs.LinuxSeccomp{
			DefaultAction: standard, Architectures: []specs.Arch{native, specs.ArchX86, specs.ArchX32, specs.ArchARM}, ListenerPath: "/agent",
		}
		for i, op := range ops {
			for j, v := range values {
				s := actions[(i+j)%len(actions)]
				s.Names = []string{names[(i*len(values)+j)%len(names)]}
				s.Args = []specs.LinuxSeccompArg{{Index: uint(i % 6), Value: v, ValueTwo: v & 0xf000_000f_0f0f_0f0f, Op: op}}
				if j%3 == 1 {
					s.Args = append(s.Args, specs.LinuxSeccompArg{Index: uint((i + 1) % 6), Value: v + 1, Op: ops[(i+3)%len(ops)]})
				}
				if j%3 == 2 {
					s.Args = append(s.Args, specs.LinuxSeccompArg{Index: uint(i % 6), Value: v + 7, Op: specs.OpEqualTo})
				}
				p.Syscalls = append(p.Syscalls, s)
			}
		}
		for _, goarch := range []string{"amd64", "arm64"} {
			t.Logf("%s %s: %d questions", goarch, standard, compare(t, p, goarch))
		}
	}
}

func TestFarJumpsAndTheLimit(t *testing.T) {
	// Many conditional calls put hundreds of instructions between a comparison and what it goes to.
	big := func(rules int) *specs.LinuxSeccomp {
		p := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86, specs.ArchX32, specs.ArchARM}}
		for i := range rules {
			p.Syscalls = append(p.Syscalls, specs.LinuxSyscall{
				Names: []string{syscalls[i%len(syscalls)].name}, Action: specs.ActAllow,
				Args: []specs.LinuxSeccompArg{{Index: uint(i % 6), Value: uint64(i) << 20, Op: specs.OpGreaterThan}},
			})
		}
		return p
	}
	f, err := compile(big(200), "amd64")
	require.NoError(t, err)
	require.Greater(t, len(f.Insns), 1500)
	compare(t, big(200), "amd64")

	oneCall := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno}
	for i := range 400 {
		oneCall.Syscalls = append(oneCall.Syscalls, specs.LinuxSyscall{
			Names: []string{"ioctl"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Index: 1, Value: uint64(i * 3), Op: specs.OpEqualTo}},
		})
	}
	compare(t, oneCall, "amd64")

	_, err = compile(big(1200), "amd64")
	require.ErrorContains(t, err, "the kernel takes 4096")
}

func BenchmarkCompile(b *testing.B) {
	p := dockers(b, "amd64")
	for b.Loop() {
		f, err := compile(p, "amd64")
		require.NoError(b, err)
		b.ReportMetric(float64(len(f.Insns)), "insns")
	}
}

func TestWhatCannotBeMeantIsRefusedByName(t *testing.T) {
	big := uint(5000)
	with := func(change func(*specs.LinuxSeccomp)) *specs.LinuxSeccomp {
		p := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{
			Names: []string{"read"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Op: specs.OpEqualTo}},
		}}}
		change(p)
		return p
	}
	for want, p := range map[string]*specs.LinuxSeccomp{
		"listenerPath: SCMP_ACT_NOTIFY": with(func(p *specs.LinuxSeccomp) { p.Syscalls[0].Action = specs.ActNotify }),
		"listenerMetadata: there is no": with(func(p *specs.LinuxSeccomp) { p.ListenerMetadata = "x" }),
		"NOTIFY cannot be used for write": with(func(p *specs.LinuxSeccomp) {
			p.Syscalls[0].Action, p.Syscalls[0].Names, p.ListenerPath = specs.ActNotify, []string{"read", "write"}, "/agent"
		}),
		"NOTIFY cannot be the default":     with(func(p *specs.LinuxSeccomp) { p.DefaultAction, p.ListenerPath = specs.ActNotify, "/agent" }),
		"SCMP_ACT_X: not a seccomp action": with(func(p *specs.LinuxSeccomp) { p.DefaultAction = "SCMP_ACT_X" }),
		"SCMP_ACT_ALLOW: it takes no":      with(func(p *specs.LinuxSeccomp) { p.DefaultErrnoRet = &big }),
		"errnoRet 5000 is above 4095":      with(func(p *specs.LinuxSeccomp) { p.Syscalls[0].ErrnoRet = &big }),
		"read: argument 6: a system call":  with(func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args[0].Index = 6 }),
		`"SCMP_CMP_X" is no comparison`:    with(func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args[0].Op = "SCMP_CMP_X" }),
		"SCMP_ARCH_X: not an architecture": with(func(p *specs.LinuxSeccomp) { p.Architectures = []specs.Arch{"SCMP_ARCH_X"} }),
		"FLAG_X: not a seccomp flag":       with(func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{"FLAG_X"} }),
		"a rule without names":             with(func(p *specs.LinuxSeccomp) { p.Syscalls[0].Names = nil }),
		"WAIT_KILLABLE_RECV: it belongs to": with(func(p *specs.LinuxSeccomp) {
			p.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagWaitKillableRecv}
		}),
	} {
		_, err := Compile(p)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "runc.init.seccomp: ")
		require.NotContains(t, err.Error(), "\n")
	}
	_, err := Compile(with(func(p *specs.LinuxSeccomp) { p.Syscalls[0].Names = []string{"no_such_call", "read"} }))
	require.NoError(t, err, "a name the machine does not have is skipped")
}
