package wire

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Each of these handles field n of the message that is being passed over, at *p: written unless it is zero, or read if it is the field
// that has arrived. A field that arrives with another wire type than ours is an unknown one.

func (c *codec) is(n int, kind uint64) bool { return c.number == n && c.kind == kind }

func (c *codec) tag(n int, kind uint64) { c.out = binary.AppendUvarint(c.out, uint64(n)<<3|kind) }

func (c *codec) append(n int, b []byte) {
	c.tag(n, typeBytes)
	c.out = append(binary.AppendUvarint(c.out, uint64(len(b))), b...)
}

func (c *codec) uint64(n int, p *uint64) {
	switch {
	case c.writing && *p != 0:
		c.tag(n, typeVarint)
		c.out = binary.AppendUvarint(c.out, *p)
	case c.is(n, typeVarint):
		*p = c.value
	}
}

// int64 also serves int32 and enumerations: a negative number is always sent as one of 64 bits.
func (c *codec) int64(n int, p *int64) {
	v := uint64(*p)
	c.uint64(n, &v)
	*p = int64(v)
}

func (c *codec) int32(n int, p *int32) {
	v := int64(*p)
	c.int64(n, &v)
	*p = int32(v)
}

func (c *codec) uint32(n int, p *uint32) {
	v := uint64(*p)
	c.uint64(n, &v)
	*p = uint32(v)
}

func (c *codec) bool(n int, p *bool) {
	var v uint64
	if *p {
		v = 1
	}
	c.uint64(n, &v)
	*p = v != 0
}

// uint64s is a repeated number, written packed: one field with the varints one after the other. It is read in both of its forms.
func (c *codec) uint64s(n int, p *[]uint64) {
	switch {
	case c.writing && len(*p) > 0:
		var b []byte
		for _, v := range *p {
			b = binary.AppendUvarint(b, v)
		}
		c.append(n, b)
	case c.is(n, typeVarint):
		*p = append(*p, c.value)
	case c.is(n, typeBytes):
		for b := c.data; len(b) > 0; {
			v, size := binary.Uvarint(b)
			if size <= 0 {
				c.err = varintError(size)
				return
			}
			*p, b = append(*p, v), b[size:]
		}
	}
}

func (c *codec) double(n int, p *float64) {
	switch {
	case c.writing && math.Float64bits(*p) != 0: // -0 is sent
		c.tag(n, typeFixed64)
		c.out = binary.LittleEndian.AppendUint64(c.out, math.Float64bits(*p))
	case c.is(n, typeFixed64):
		*p = math.Float64frombits(c.value)
	}
}

// string sends text that is not UTF-8 with replacement characters, and takes none: protobuf's rule.
func (c *codec) string(n int, p *string) {
	switch {
	case c.writing && *p != "":
		c.text(n, *p)
	case c.is(n, typeBytes):
		if !utf8.Valid(c.data) {
			c.err = errText
			return
		}
		*p = string(c.data)
	}
}

func (c *codec) text(n int, s string) {
	s = strings.ToValidUTF8(s, "\uFFFD")
	c.tag(n, typeBytes)
	c.out = append(binary.AppendUvarint(c.out, uint64(len(s))), s...)
}

func (c *codec) bytes(n int, p *[]byte) {
	switch {
	case c.writing && len(*p) > 0:
		c.append(n, *p)
	case c.is(n, typeBytes):
		*p = slices.Clone(c.data)
	}
}

func (c *codec) strings(n int, p *[]string) {
	if c.writing {
		for _, s := range *p {
			c.text(n, s)
		}
		return
	}
	if c.is(n, typeBytes) {
		var s string
		c.string(n, &s)
		*p = append(*p, s)
	}
}

// pairs is a map<string, string>: a repeated message with the key as field 1 and the value as field 2. It is written in the keys' order.
func (c *codec) pairs(n int, p *map[string]string) {
	if c.writing {
		for _, key := range slices.Sorted(maps.Keys(*p)) {
			c.append(n, Marshal(&pair{key, (*p)[key]}))
		}
		return
	}
	if c.is(n, typeBytes) {
		var e pair
		if c.err = Unmarshal(c.data, &e); c.err != nil {
			return
		}
		if *p == nil {
			*p = map[string]string{}
		}
		(*p)[e.key] = e.value
	}
}

type pair struct{ key, value string }

func (m *pair) fields(c *codec) {
	c.string(1, &m.key)
	c.string(2, &m.value)
}

// time is a google.protobuf.Timestamp. The zero time.Time is one that is not there.
func (c *codec) time(n int, p *time.Time) {
	if c.writing {
		if !p.IsZero() {
			c.append(n, Marshal(&timestamp{p.Unix(), int32(p.Nanosecond())}))
		}
		return
	}
	if c.is(n, typeBytes) {
		var t timestamp
		if !p.IsZero() {
			t = timestamp{p.Unix(), int32(p.Nanosecond())}
		}
		c.err = Unmarshal(c.data, &t)
		*p = time.Unix(t.seconds, int64(t.nanos)).UTC()
	}
}

type timestamp struct {
	seconds int64
	nanos   int32
}

func (m *timestamp) fields(c *codec) {
	c.int64(1, &m.seconds)
	c.int32(2, &m.nanos)
}

// one is a message within the message; nil is one that is not there.
func one[T any, M interface {
	*T
	Message
}](c *codec, n int, p *M) {
	if c.writing {
		if *p != nil {
			c.append(n, Marshal(*p))
		}
		return
	}
	if c.is(n, typeBytes) {
		if *p == nil {
			*p = new(T)
		}
		c.err = Unmarshal(c.data, *p)
	}
}

// many is a repeated message.
func many[T any, M interface {
	*T
	Message
}](c *codec, n int, p *[]M) {
	if c.writing {
		for _, m := range *p {
			c.append(n, Marshal(m))
		}
		return
	}
	if c.is(n, typeBytes) {
		m := M(new(T))
		c.err = Unmarshal(c.data, m)
		*p = append(*p, m)
	}
}
