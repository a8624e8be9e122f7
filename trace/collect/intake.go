package collect

import (
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"hull/stages"
	"hull/trace/model"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
)

// maxPacket is the largest packet of spans that is read; longer ones are refused whole (recvmsg would cut them).
const maxPacket = 1 << 20

// takeSpans accepts connections of programs that hand over finished spans (docs/seams.md, section 4).
func (c *collector) takeSpans(l *net.UnixListener) error {
	c.spans.add(l)
	for {
		conn, err := l.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		c.spans.add(conn) // before the next may be accepted: no packet is ever out of sight
		go c.takeConn(conn)
	}
}

// takeConn reads one program's packets. Each stays in the socket until it is in its trace, so that [sockets.unread] sees it all the while.
func (c *collector) takeConn(conn *net.UnixConn) {
	defer func() {
		c.spans.remove(conn)
		conn.Close()
	}()
	who, err := peerOf(conn)
	if err != nil {
		slog.Error("span peer", "err", err)
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		slog.Error("spans", "pid", who.Pid, "err", err)
		return
	}
	buf := make([]byte, 64<<10)
	for {
		n, flags, err := receive(raw, buf, unix.MSG_PEEK)
		if n == 0 || err != nil {
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, unix.ECONNRESET) {
				slog.Warn("spans", "pid", who.Pid, "err", err)
			}
			return
		}
		var data otlp.TracesData
		if flags&unix.MSG_TRUNC != 0 && len(buf) < maxPacket {
			buf = make([]byte, maxPacket)
			continue
		} else if flags&unix.MSG_TRUNC != 0 {
			slog.Warn("a packet of spans was longer than the buffer and is lost", "pid", who.Pid)
		} else if err := proto.Unmarshal(buf[:n], &data); err != nil {
			slog.Warn("not OTLP", "pid", who.Pid, "err", err)
		} else {
			c.takePacket(&data, who)
		}
		if _, _, err := receive(raw, buf[:0], 0); err != nil {
			return
		}
	}
}

// receive waits for a packet and copies what fits into buf; the rest is lost, unless flags has MSG_PEEK: then the packet stays (recv(2)).
func receive(raw syscall.RawConn, buf []byte, flags int) (n, was int, err error) {
	waited := raw.Read(func(fd uintptr) bool {
		for {
			n, _, was, _, err = unix.Recvmsg(int(fd), buf, nil, flags|unix.MSG_DONTWAIT)
			if !errors.Is(err, unix.EINTR) {
				return !errors.Is(err, unix.EAGAIN)
			}
		}
	})
	if waited != nil {
		return 0, 0, waited
	}
	return n, was, err
}

// peerOf is who stands at the other end: the kernel's word, not the packet's (unix(7), SO_PEERCRED).
func peerOf(conn *net.UnixConn) (who *unix.Ucred, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	if ctlErr := raw.Control(func(fd uintptr) { who, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); ctlErr != nil {
		return nil, ctlErr
	}
	return who, err
}

func (c *collector) takePacket(data *otlp.TracesData, who *unix.Ucred) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range data.ResourceSpans {
		service, lost := "", uint64(0)
		for _, kv := range rs.GetResource().GetAttributes() {
			switch kv.Key {
			case "service.name":
				service = kv.Value.GetStringValue()
			case stages.AttrLost:
				lost = uint64(kv.Value.GetIntValue())
			}
		}
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				r := c.runs[hex.EncodeToString(s.TraceId)]
				if r == nil || r.ended != 0 || who.Uid != 0 && who.Uid != r.owner {
					slog.Debug("a span of no trace that goes on", "pid", who.Pid, "name", s.Name)
					continue
				}
				r.lost.Spans, lost = r.lost.Spans+lost, 0
				span := fromOTLP(s, service, who)
				r.known(span.Proc)
				r.addSpan(span)
				c.marks[span.ID] = r
			}
		}
	}
	c.claimStrays()
}

// fromOTLP is a claim in our terms. Only root may speak for another process (hull-runc does, for the container's first process).
func fromOTLP(s *otlp.Span, service string, who *unix.Ucred) model.Span {
	span := model.Span{
		ID: hex.EncodeToString(s.SpanId), Name: clip(s.Name, 256), Service: clip(service, 256),
		Start: int64(s.StartTimeUnixNano), End: int64(s.EndTimeUnixNano), Claim: model.ClaimSpan, Proof: model.NoProof,
	}
	if len(s.ParentSpanId) == 8 {
		span.Parent = hex.EncodeToString(s.ParentSpanId)
	}
	if s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR {
		span.Error = clip(s.Status.Message, 1024)
		if span.Error == "" {
			span.Error = "failed"
		}
	}
	for _, l := range s.Links {
		span.Links = append(span.Links, hex.EncodeToString(l.SpanId))
	}
	for i, kv := range s.Attributes {
		switch kv.Key {
		case stages.AttrStep:
			span.Name = clip(kv.Value.GetStringValue(), 256)
		case stages.AttrInstance:
			span.Instance = clip(kv.Value.GetStringValue(), 1024)
		case stages.AttrPID:
			span.Proc.PID = int(kv.Value.GetIntValue())
		case stages.AttrStart:
			span.Proc.Start = uint64(kv.Value.GetIntValue())
		case stages.AttrTID:
			span.TID = int(kv.Value.GetIntValue())
		default:
			if i < 64 {
				if span.Attrs == nil {
					span.Attrs = map[string]string{}
				}
				span.Attrs[clip(kv.Key, 256)] = clip(valueOf(kv.Value), 1024)
			}
		}
	}
	if span.Proc.PID == 0 || who.Uid != 0 && span.Proc.PID != int(who.Pid) {
		span.Proc = model.Proc{PID: int(who.Pid), Start: startOf(int(who.Pid))}
	}
	return span
}

func valueOf(v *common.AnyValue) string {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *common.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	case *common.AnyValue_DoubleValue:
		return strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
	case nil:
		return ""
	}
	return v.String()
}

func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "?")
}

// privateDir makes a directory that only its owner enters.
func privateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}
