package probe

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

func network() topic {
	return topic{"network", []probe{
		{"bridge", false, func() (string, error) { return "", link("bridge") }, "no default network: containers get none or host", "modprobe bridge"},
		{"veth", false, func() (string, error) { return "", link("veth") }, "no default network: containers get none or host", "modprobe veth"},
		{"nf_tables", false, func() (string, error) { return "", nfTables() }, "no published ports and no way out of the default network", "modprobe nf_tables"},
	}}
}

// Netlink in three lines (netlink(7)): a message is a header (length, type, flags, sequence, port), a fixed part, and attributes; an attribute is
// its length and type, then the value, padded to four bytes. The kernel answers with NLMSG_ERROR, whose number is 0 for success. What is made in
// the thrown-away network namespace goes with it.

func attr(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func message(kind, flags uint16, seq uint32, body []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	return append(binary.NativeEndian.AppendUint32(b, 0), body...)
}

// talk sends messages on a netlink socket of a new network namespace, and returns the first acknowledgement.
func talk(protocol int, messages []byte) error {
	return thread(unix.CLONE_NEWNET, func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
		if err != nil {
			return named("socket", err)
		}
		defer unix.Close(fd)
		// An answer that never comes is an answer too (socket(7), SO_RCVTIMEO).
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}); err != nil {
			return named("setsockopt", err)
		}
		if err := unix.Sendto(fd, messages, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return named("sendto", err)
		}
		buf := make([]byte, 8192)
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return named("recvfrom", err)
		}
		if n < unix.NLMSG_HDRLEN+4 || binary.NativeEndian.Uint16(buf[4:]) != unix.NLMSG_ERROR {
			return errors.New("an answer that is none")
		}
		if code := int32(binary.NativeEndian.Uint32(buf[unix.NLMSG_HDRLEN:])); code != 0 {
			return unix.Errno(-code)
		}
		return nil
	})
}

// link makes a network interface of a kind (rtnetlink(7)).
func link(kind string) error {
	body := make([]byte, unix.SizeofIfInfomsg)
	body = append(body, attr(unix.IFLA_IFNAME, []byte("hull-doctor\x00"))...)
	body = append(body, attr(unix.IFLA_LINKINFO, attr(unix.IFLA_INFO_KIND, []byte(kind)))...)
	return talk(unix.NETLINK_ROUTE, message(unix.RTM_NEWLINK, unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL, 1, body))
}

// nfTables makes an empty table: one transaction of three messages.
func nfTables() error {
	gen := func(family byte, res uint16) []byte {
		return binary.BigEndian.AppendUint16([]byte{family, unix.NFNETLINK_V0}, res)
	}
	var batch []byte
	batch = append(batch, message(unix.NFNL_MSG_BATCH_BEGIN, unix.NLM_F_REQUEST, 1, gen(unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES))...)
	batch = append(batch, message(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_NEWTABLE, unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE, 2,
		append(gen(unix.AF_INET, 0), attr(unix.NFTA_TABLE_NAME, []byte("hull-doctor\x00"))...))...)
	batch = append(batch, message(unix.NFNL_MSG_BATCH_END, unix.NLM_F_REQUEST, 3, gen(unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES))...)
	return talk(unix.NETLINK_NETFILTER, batch)
}
