package network

import (
	"net/netip"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A match is a part of a rule, as the kernel's little machine wants it: load something into a register, compare the register, go on or leave
// the rule; at the end do something. Each function's name says what nft(8) would call it.
type match []expr.Any

var loopback = netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, 0}), 8)

// Offsets in the headers of IPv4 (RFC 791) and of TCP and UDP, which have the destination port in the same place (RFC 9293, RFC 768).
const (
	offsetSource      = 12
	offsetDestination = 16
	offsetPort        = 2
)

func compare(op expr.CmpOp, data []byte) expr.Any {
	return &expr.Cmp{Op: op, Register: 1, Data: data}
}

func interfaceName(key expr.MetaKey, op expr.CmpOp, name string) match {
	data := make([]byte, unix.IFNAMSIZ) // the whole name with its zeros: without them it would be a beginning
	copy(data, name)
	return match{&expr.Meta{Key: key, Register: 1}, compare(op, data)}
}

func inBy(link string) match { return interfaceName(expr.MetaKeyIIFNAME, expr.CmpOpEq, link) }

func outBy(link string) match { return interfaceName(expr.MetaKeyOIFNAME, expr.CmpOpEq, link) }

func outOtherThan(link string) match { return interfaceName(expr.MetaKeyOIFNAME, expr.CmpOpNeq, link) }

func inNetwork(offset uint32, op expr.CmpOp, p netip.Prefix) match {
	mask := ipNet(p).Mask
	return match{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
		compare(op, p.Masked().Addr().AsSlice()),
	}
}

func source(p netip.Prefix) match         { return inNetwork(offsetSource, expr.CmpOpEq, p) }
func destination(p netip.Prefix) match    { return inNetwork(offsetDestination, expr.CmpOpEq, p) }
func notDestination(p netip.Prefix) match { return inNetwork(offsetDestination, expr.CmpOpNeq, p) }

func toAddress(a netip.Addr) match {
	return match{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offsetDestination, Len: 4},
		compare(expr.CmpOpEq, a.AsSlice()),
	}
}

// toThisHost is `fib daddr type local`: the routing table calls the destination an address of our own.
func toThisHost() match {
	return match{
		&expr.Fib{Register: 1, FlagDADDR: true, ResultADDRTYPE: true},
		compare(expr.CmpOpEq, binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)),
	}
}

func toPort(proto string, port uint16) match {
	number := byte(unix.IPPROTO_TCP)
	if proto == "udp" {
		number = unix.IPPROTO_UDP
	}
	return match{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		compare(expr.CmpOpEq, []byte{number}),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: offsetPort, Len: 2},
		compare(expr.CmpOpEq, binaryutil.BigEndian.PutUint16(port)),
	}
}

func conntrack(key expr.CtKey, bits uint32) match {
	return match{
		&expr.Ct{Key: key, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4)},
		compare(expr.CmpOpNeq, make([]byte, 4)),
	}
}

// statusDNAT is IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h: the connection's destination was rewritten.
const statusDNAT = 1 << 5

func answer() match {
	return conntrack(expr.CtKeySTATE, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
}
func redirected() match { return conntrack(expr.CtKeySTATUS, statusDNAT) }

func accept() match           { return match{&expr.Verdict{Kind: expr.VerdictAccept}} }
func drop() match             { return match{&expr.Verdict{Kind: expr.VerdictDrop}} }
func jump(chain string) match { return match{&expr.Verdict{Kind: expr.VerdictJump, Chain: chain}} }
func masquerade() match       { return match{&expr.Masq{}} }

// redirect is `dnat to ADDRESS:PORT`.
func redirect(to netip.Addr, port uint16) match {
	return match{
		&expr.Immediate{Register: 1, Data: to.AsSlice()},
		&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(port)},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2},
	}
}
