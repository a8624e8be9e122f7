package span

import (
	"encoding/binary"
	"os"

	"hull/stages"
)

// The wire form of finished spans is OpenTelemetry's: one opentelemetry.proto.trace.v1.TracesData message per packet
// (opentelemetry-proto, trace/v1/trace.proto). The encoder is written by hand because the generated one costs each short-lived binary
// several milliseconds at its start; a test decodes its output with the real protobuf types.
//
// Protobuf's encoding in three lines: a field is a varint tag (number<<3 | wire type), then its value; wire type 0 is a varint, 1 is
// eight bytes little-endian, 2 is a varint length and that many bytes. Unknown fields are skipped, zero values left out.

const (
	varint  = 0
	fixed64 = 1
	bytes   = 2
)

func tag(b []byte, field, wire int) []byte { return binary.AppendUvarint(b, uint64(field<<3|wire)) }

func appendBytes(b []byte, field int, v []byte) []byte {
	b = tag(b, field, bytes)
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func appendString(b []byte, field int, v string) []byte {
	if v == "" {
		return b
	}
	b = tag(b, field, bytes)
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

func appendFixed64(b []byte, field int, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(tag(b, field, fixed64), v)
}

// appendAttr appends a KeyValue: key = 1, value = 2 (AnyValue: string_value = 1, int_value = 3).
func appendAttr(b []byte, field int, a Attr) []byte {
	var value []byte
	if a.Str != "" {
		value = appendString(nil, 1, a.Str)
	} else {
		value = binary.AppendUvarint(tag(nil, 3, varint), uint64(a.Int))
	}
	kv := appendBytes(appendString(nil, 1, a.Key), 2, value)
	return appendBytes(b, field, kv)
}

// appendSpan appends one Span as field 2 of ScopeSpans. Span: trace_id = 1, span_id = 2, parent_span_id = 4, name = 5, kind = 6,
// start_time_unix_nano = 7, end_time_unix_nano = 8, attributes = 9, status = 15 (message = 2, code = 3: 2 is an error).
func appendSpan(b []byte, f Finished) []byte {
	s := appendBytes(nil, 1, f.Context.Trace[:])
	s = appendBytes(s, 2, f.Context.Span[:])
	if f.Parent != [8]byte{} {
		s = appendBytes(s, 4, f.Parent[:])
	}
	name := f.Foreign
	if name == "" {
		name = f.Step.String()
	}
	s = appendString(s, 5, name)
	s = binary.AppendUvarint(tag(s, 6, varint), uint64(max(f.Kind, 1))) // 1 is SPAN_KIND_INTERNAL
	s = appendFixed64(s, 7, uint64(f.Start.UnixNano()))
	s = appendFixed64(s, 8, uint64(f.End.UnixNano()))
	if f.Foreign == "" {
		s = appendAttr(s, 9, Attr{Key: stages.AttrStep, Str: name})
	}
	if f.Instance != "" {
		s = appendAttr(s, 9, Attr{Key: stages.AttrInstance, Str: f.Instance})
	}
	s = appendAttr(s, 9, Attr{Key: stages.AttrPID, Int: int64(f.PID)})
	s = appendAttr(s, 9, Attr{Key: stages.AttrStart, Int: int64(f.PIDStart)})
	if f.TID != 0 {
		s = appendAttr(s, 9, Attr{Key: stages.AttrTID, Int: int64(f.TID)})
	}
	for _, a := range f.Attrs {
		s = appendAttr(s, 9, a)
	}
	if f.Error != "" {
		status := binary.AppendUvarint(tag(appendString(nil, 2, f.Error), 3, varint), 2)
		s = appendBytes(s, 15, status)
	}
	return appendBytes(b, 2, s)
}

// appendTraces wraps encoded spans: TracesData{resource_spans = 1: {resource = 1: {attributes = 1}, scope_spans = 2: {spans = 2}}}.
func appendTraces(b []byte, service string, lost int, spans []byte) []byte {
	res := appendAttr(nil, 1, Attr{Key: "service.name", Str: service})
	res = appendAttr(res, 1, Attr{Key: stages.AttrPID, Int: int64(os.Getpid())})
	if lost > 0 {
		res = appendAttr(res, 1, Attr{Key: stages.AttrLost, Int: int64(lost)})
	}
	rs := appendBytes(nil, 1, res)
	rs = appendBytes(rs, 2, spans)
	return appendBytes(b, 1, rs)
}

// countSpans counts the fields of an encoded run of spans.
func countSpans(spans []byte) (n int) {
	for len(spans) > 0 {
		_, t := binary.Uvarint(spans)
		size, l := binary.Uvarint(spans[t:])
		spans = spans[t+l+int(size):]
		n++
	}
	return n
}
