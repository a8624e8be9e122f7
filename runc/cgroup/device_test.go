package cgroup

import (
	"fmt"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"

	"hull/stages"
)

// closed is what docker asks for: nothing, then one device more.
func closed(more ...specs.LinuxDeviceCgroup) []specs.LinuxDeviceCgroup {
	return append([]specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}, more...)
}

func device(allow bool, kind string, major, minor int64, access string) specs.LinuxDeviceCgroup {
	return specs.LinuxDeviceCgroup{Allow: allow, Type: kind, Major: &major, Minor: &minor, Access: access}
}

func TestOnlyTheListedDevicesOpen(t *testing.T) {
	g := create(t, &specs.LinuxResources{Devices: closed()})
	p := enter(t, g)
	require.Equal(t, "open: <nil>", p.say(t, "open /dev/null"))
	require.Equal(t, "open: operation not permitted", p.say(t, "open /dev/kmsg"))
}

func TestAnAllowedDeviceOpens(t *testing.T) {
	for access, want := range map[string]string{"rw": "open: <nil>", "r": "open: operation not permitted"} {
		t.Run(access, func(t *testing.T) {
			p := enter(t, create(t, &specs.LinuxResources{Devices: closed(device(true, "c", 1, 11, access))}))
			require.Equal(t, want, p.say(t, "open /dev/kmsg"), "for reading and writing")
		})
	}
}

func TestTheProgramDecidesOnV2(t *testing.T) {
	g := create(t, nil)
	m := g.unified()
	if m == nil {
		t.Skip("no cgroup v2 mounted")
	}
	rules, err := deviceRules(closed(device(true, "c", 1, -1, "rw"), device(false, "c", 1, 11, "w")))
	require.NoError(t, err)
	require.NoError(t, attachDevices(m.Dir, rules))
	p := enter(t, g)
	require.Equal(t, "open: <nil>", p.say(t, "open /dev/null"))
	require.Equal(t, "open: operation not permitted", p.say(t, "open /dev/kmsg"), "a later rule takes a part back")
}

// run interprets the few instructions that deviceProgram uses.
func (p program) run(t *testing.T, kind, access, major, minor uint32) bool {
	t.Helper()
	var reg [7]uint64
	context := []uint32{access<<16 | kind, major, minor}
	for at, steps := 0, 0; ; at, steps = at+1, steps+1 {
		require.Less(t, steps, len(p), "every instruction runs at most once")
		i := p[at*8 : at*8+8]
		dst, src := i[1]&0xf, i[1]>>4
		off := int(int16(uint16(i[2]) | uint16(i[3])<<8))
		imm := int32(uint32(i[4]) | uint32(i[5])<<8 | uint32(i[6])<<16 | uint32(i[7])<<24)
		switch i[0] {
		case opLoad32:
			reg[dst] = uint64(context[off/4])
		case opMov:
			reg[dst] = reg[src]
		case opMovImm:
			reg[dst] = uint64(int64(imm))
		case opAndImm:
			reg[dst] &= uint64(int64(imm))
		case opRshImm:
			reg[dst] >>= imm
		case opJumpEq:
			if reg[dst] == uint64(int64(imm)) {
				at += off
			}
		case opJumpNe:
			if reg[dst] != uint64(int64(imm)) {
				at += off
			}
		case opReturn:
			return reg[0] == 1
		default:
			t.Fatalf("code %#x", i[0])
		}
	}
}

// decide evaluates the rules bit by bit: the last rule about a bit decides it.
func decide(rules []deviceRule, kind byte, access int, major, minor int64) bool {
	for bit := 1; bit <= accessAll; bit <<= 1 {
		if access&bit == 0 {
			continue
		}
		ok := true
		for _, r := range rules {
			if (r.kind == 'a' || r.kind == kind) && r.access&bit != 0 && (r.major < 0 || r.major == major) && (r.minor < 0 || r.minor == minor) {
				ok = r.allow
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

func TestTheProgramEqualsADirectEvaluation(t *testing.T) {
	for i, list := range [][]specs.LinuxDeviceCgroup{
		nil,
		closed(),
		closed(device(true, "c", 10, 200, "rwm"), device(false, "c", 10, 200, "w")),
		closed(device(true, "b", 8, -1, "r"), device(true, "b", 8, 0, "w"), device(true, "a", 10, -1, "m")),
		{device(false, "c", 1, -1, "w"), device(true, "c", 1, 3, "w")},
		{device(true, "a", -1, -1, "rwm"), device(false, "b", -1, -1, "rwm")},
	} {
		rules, err := deviceRules(list)
		require.NoError(t, err)
		p := deviceProgram(rules)
		for kind, c := range map[uint32]byte{1: 'b', 2: 'c'} {
			for access := 1; access <= accessAll; access++ {
				for _, major := range []int64{0, 1, 5, 8, 10, 136, 4095} {
					for _, minor := range []int64{0, 1, 3, 11, 200, 1<<20 - 1} {
						require.Equal(t, decide(rules, c, access, major, minor), p.run(t, kind, uint32(access), uint32(major), uint32(minor)),
							fmt.Sprintf("list %d: %c %d:%d access %d", i, c, major, minor, access))
					}
				}
			}
		}
	}
}

func TestV1CannotTakeBackAPartOfARule(t *testing.T) {
	rules, err := deviceRules(closed(device(true, "c", 10, -1, "rwm"), device(false, "c", 10, 200, "w")))
	require.NoError(t, err)
	_, err = deviceRows(rules)
	require.Equal(t, stages.Unsupported, stages.KindOf(err))
	require.ErrorContains(t, err, `devices: devices.deny: "c 10:200 w" after "c 10:* mrw"`)

	rules, err = deviceRules(closed(device(true, "a", 10, 1, "r")))
	require.NoError(t, err)
	rows, err := deviceRows(rules)
	require.NoError(t, err)
	require.Equal(t, []string{"a *:* mrw", "c 10:1 r", "b 10:1 r"}, []string{rows[0].value, rows[1].value, rows[2].value})
}
