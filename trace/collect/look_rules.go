package collect

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"hull/stages"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// found notes one of a repeated step's states.
func (r *run) found(state stages.State, name, format string, args ...any) {
	r.looks = append(r.looks, look{state: state, name: name, time: time.Now().UnixNano(), ok: true, text: fmt.Sprintf(format, args...)})
}

// lookAtPorts lists the host's sockets that hold a port: TCP's that listen, UDP's that are bound (proc_pid_net(5)).
func lookAtPorts(r *run) {
	for proto, state := range map[string]string{"tcp": "0A", "udp": "07"} { // TCP_LISTEN; TCP_CLOSE, which is what an unconnected UDP socket has
		file := "/proc/thread-self/net/" + proto
		text, _ := os.ReadFile(file)
		for _, line := range strings.Split(string(text), "\n")[1:] {
			if f := strings.Fields(line); len(f) > 3 && f[3] == state {
				if at, ok := hexAddress(f[1]); ok {
					r.found(stages.StateNetPort, proto+" "+at.String(), "%s: a socket holds %s", file, at)
				}
			}
		}
	}
}

// hexAddress reads "0100007F:1F90": the address's bytes as the machine's word, the port as a number.
func hexAddress(s string) (netip.AddrPort, bool) {
	a, p, _ := strings.Cut(s, ":")
	ip, err1 := hex.DecodeString(a)
	port, err2 := hex.DecodeString(p)
	if err1 != nil || err2 != nil || len(ip) != 4 || len(port) != 2 {
		return netip.AddrPort{}, false
	}
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], binary.BigEndian.Uint32(ip))
	return netip.AddrPortFrom(netip.AddrFrom4(b), binary.BigEndian.Uint16(port)), true
}

// lookAtRules reads the instance's table back and says of each rule what it does, from its expressions alone: comments are the claimant's.
func lookAtRules(r *run, table string) {
	conn, err := nftables.New()
	if err != nil {
		return
	}
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return
	}
	for _, chain := range chains {
		if chain.Table.Name != table {
			continue
		}
		rules, err := conn.GetRules(chain.Table, chain)
		if err != nil {
			continue
		}
		for _, rule := range rules {
			if name := meaning(rule.Exprs); name != "" {
				r.found(stages.StateNetRule, name, "table ip %s, chain %s, rule %d: %s", table, chain.Name, rule.Handle, name)
			}
		}
	}
}

// meaning is a rule in the words of the catalogue's instances.
func meaning(exprs []expr.Any) string {
	m := readRule(exprs)
	switch {
	case m.redirects:
		host := m.destination
		if !host.IsValid() {
			host = netip.IPv4Unspecified()
		}
		return fmt.Sprintf("%s %s -> %s", m.proto, netip.AddrPortFrom(host, m.port), m.to)
	case m.masquerades && m.source.IsValid() && m.outNot != "":
		return "masquerade " + m.source.String()
	case m.drops && m.out != "":
		return "forward to " + m.out
	case m.drops && m.in != "" && m.network.IsValid():
		return "guard " + m.network.String()
	}
	return ""
}

// A ruleText is what a rule's expressions match and do.
type ruleText struct {
	in, out, outNot               string
	source, network               netip.Prefix
	destination                   netip.Addr
	proto                         string
	port                          uint16
	to                            netip.AddrPort
	redirects, masquerades, drops bool
}

// readRule follows the kernel's little machine: what was loaded last is what a comparison compares.
func readRule(exprs []expr.Any) (m ruleText) {
	var loaded expr.Any
	var mask []byte
	immediate := map[uint32][]byte{}
	for _, e := range exprs {
		switch e := e.(type) {
		case *expr.Meta, *expr.Payload, *expr.Ct, *expr.Fib:
			loaded, mask = e, nil
		case *expr.Bitwise:
			mask = e.Mask
		case *expr.Cmp:
			m.compared(loaded, mask, e)
		case *expr.Immediate:
			immediate[e.Register] = e.Data
		case *expr.NAT:
			ip, ok := netip.AddrFromSlice(immediate[e.RegAddrMin])
			if port := immediate[e.RegProtoMin]; ok && len(port) == 2 && e.Type == expr.NATTypeDestNAT {
				m.to, m.redirects = netip.AddrPortFrom(ip, binary.BigEndian.Uint16(port)), true
			}
		case *expr.Masq:
			m.masquerades = true
		case *expr.Verdict:
			m.drops = e.Kind == expr.VerdictDrop
		}
	}
	return m
}

func (m *ruleText) compared(loaded expr.Any, mask []byte, cmp *expr.Cmp) {
	name := string(bytes.TrimRight(cmp.Data, "\x00"))
	equal := cmp.Op == expr.CmpOpEq
	switch l := loaded.(type) {
	case *expr.Meta:
		switch {
		case l.Key == expr.MetaKeyIIFNAME && equal:
			m.in = name
		case l.Key == expr.MetaKeyOIFNAME && equal:
			m.out = name
		case l.Key == expr.MetaKeyOIFNAME:
			m.outNot = name
		case l.Key == expr.MetaKeyL4PROTO && equal && len(cmp.Data) == 1:
			m.proto = map[byte]string{unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp"}[cmp.Data[0]]
		}
	case *expr.Payload:
		ip, ok := netip.AddrFromSlice(cmp.Data)
		bits := maskBits(mask)
		switch {
		case l.Base == expr.PayloadBaseTransportHeader && l.Offset == 2 && len(cmp.Data) == 2 && equal:
			m.port = binary.BigEndian.Uint16(cmp.Data)
		case l.Base == expr.PayloadBaseNetworkHeader && l.Offset == 12 && ok && equal:
			m.source = netip.PrefixFrom(ip, bits)
		case l.Base == expr.PayloadBaseNetworkHeader && l.Offset == 16 && ok && equal && bits < 32:
			m.network = netip.PrefixFrom(ip, bits)
		case l.Base == expr.PayloadBaseNetworkHeader && l.Offset == 16 && ok && equal:
			m.destination = ip
		}
	}
}

// maskBits is the length of a mask; without one, all bits are compared.
func maskBits(mask []byte) (n int) {
	if mask == nil {
		return 32
	}
	for _, b := range mask {
		for ; b != 0; b <<= 1 {
			n++
		}
	}
	return n
}
