package seccomp

import (
	"encoding/json"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// FuzzCompile: whatever profile comes, Compile refuses it in one line or makes a program that the kernel's rules allow and that says what
// the profile says.
func FuzzCompile(f *testing.F) {
	seed := func(p *specs.LinuxSeccomp) {
		text, err := json.Marshal(p)
		require.NoError(f, err)
		f.Add(text, uint32(16), uint64(1), uint64(1<<32|8))
	}
	seed(dockers(f, "amd64"))
	seed(&specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{
		Names: []string{"ioctl"}, Action: specs.ActKill, Args: []specs.LinuxSeccompArg{
			{Index: 1, Value: 0xff, ValueTwo: 8, Op: specs.OpMaskedEqual}, {Index: 2, Value: 1 << 32, Op: specs.OpGreaterThan},
		},
	}}})
	f.Fuzz(func(t *testing.T, text []byte, nr uint32, a1, a2 uint64) {
		var p specs.LinuxSeccomp
		if json.Unmarshal(text, &p) != nil || len(p.Syscalls) > 1000 {
			return
		}
		for _, goarch := range []string{"amd64", "arm64"} {
			filter, err := compile(&p, goarch)
			if err != nil {
				require.NotContains(t, err.Error(), "\n")
				continue
			}
			require.NotEmpty(t, filter.Insns)
			require.LessOrEqual(t, len(filter.Insns), maxInsns)
			vm := machine(t, filter)
			r := read(&p, goarch)
			for _, audit := range auditOf[goarch] {
				c := call{nr: nr, arch: audit, args: [6]uint64{a1, a2, a1 ^ a2, a1 << 32, a2 >> 32, ^a1}}
				got, err := vm.Run(c.data())
				require.NoError(t, err)
				require.Equal(t, r.evaluate(c), uint32(got))
			}
		}
	})
}
