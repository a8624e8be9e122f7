package wire

import (
	"encoding/binary"
	"errors"
)

// Protobuf's encoding in four lines (https://protobuf.dev/programming-guides/encoding): a message is a run of fields in any order. A
// field is a varint tag (number<<3 | wire type), then its value. Wire type 0 is a varint, 1 is eight bytes, 5 four, 2 a varint length and
// so many bytes: text, a message, a map's entry. Zero values are left out, unknown fields are skipped, of a field sent twice the last one
// counts.

const (
	typeVarint  = 0
	typeFixed64 = 1
	typeBytes   = 2
	typeGroup   = 3 // a message between a begin and an end tag: proto1, never sent by anybody, skipped
	typeEnd     = 4
	typeFixed32 = 5
)

// maxNumber is the largest field number.
const maxNumber = 1<<29 - 1

// maxDepth is how deep groups may stand in each other; protobuf's own limit.
const maxDepth = 10_000

var (
	errTruncated = errors.New("protobuf: the message ends in the middle of a field")
	errMalformed = errors.New("protobuf: malformed field")
	errText      = errors.New("protobuf: text is not UTF-8")
)

// A Message is one of this package's structs.
type Message interface {
	// fields names each field's number and its place in the struct, for writing and for reading.
	fields(c *codec)
}

// Marshal encodes a message. It cannot fail.
func Marshal(m Message) []byte { return Append(nil, m) }

// Append encodes a message behind b.
func Append(b []byte, m Message) []byte {
	c := codec{writing: true, out: b}
	m.fields(&c)
	return c.out
}

// Unmarshal decodes b into m, over what m holds already. On an error m holds what came before it.
func Unmarshal(b []byte, m Message) error {
	for len(b) > 0 {
		var c codec
		n, err := c.next(b)
		if err != nil {
			return err
		}
		b = b[n:]
		if m.fields(&c); c.err != nil {
			return c.err
		}
	}
	return nil
}

// A codec passes over a message's fields: all of them when it writes, and once for each field that arrives when it reads.
type codec struct {
	writing bool
	out     []byte // what has been written

	number int    // the field that has been read
	kind   uint64 // its wire type
	value  uint64 // of a varint or fixed field
	data   []byte // of a typeBytes field; part of the message
	err    error
}

// next reads one field and returns its length.
func (c *codec) next(b []byte) (int, error) {
	tag, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, varintError(n)
	}
	number := tag >> 3
	if c.kind = tag & 7; number == 0 || number > maxNumber {
		return 0, errMalformed
	}
	c.number = int(number)
	if c.kind == typeGroup {
		size, err := group(b[n:], number)
		return n + size, err
	}
	size, err := c.scalar(b[n:])
	return n + size, err
}

// scalar reads the value of a field that is no group.
func (c *codec) scalar(b []byte) (size int, err error) {
	switch c.kind {
	case typeVarint:
		if c.value, size = binary.Uvarint(b); size <= 0 {
			return 0, varintError(size)
		}
		return size, nil
	case typeFixed64:
		if len(b) < 8 {
			return 0, errTruncated
		}
		c.value = binary.LittleEndian.Uint64(b)
		return 8, nil
	case typeFixed32:
		if len(b) < 4 {
			return 0, errTruncated
		}
		c.value = uint64(binary.LittleEndian.Uint32(b))
		return 4, nil
	case typeBytes:
		length, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, varintError(n)
		}
		if length > uint64(len(b)-n) {
			return 0, errTruncated
		}
		size = n + int(length)
		c.data = b[n:size]
		return size, nil
	}
	return 0, errMalformed
}

// group is the length of a group's inside and its end tag. Its depth is the sender's choice, so there is no recursion.
func group(b []byte, number uint64) (size int, err error) {
	open := []uint64{number}
	var c codec
	for len(open) > 0 {
		tag, n := binary.Uvarint(b[size:])
		if n <= 0 {
			return 0, varintError(n)
		}
		size += n
		number := tag >> 3
		if c.kind = tag & 7; number == 0 || number > maxNumber {
			return 0, errMalformed
		}
		switch c.kind {
		case typeGroup:
			if open = append(open, number); len(open) > maxDepth {
				return 0, errMalformed
			}
		case typeEnd:
			if open[len(open)-1] != number {
				return 0, errMalformed
			}
			open = open[:len(open)-1]
		default:
			n, err := c.scalar(b[size:])
			if err != nil {
				return 0, err
			}
			size += n
		}
	}
	return size, nil
}

// varintError explains binary.Uvarint's n: 0 is a buffer that ends too early, less is a number of more than 64 bits.
func varintError(n int) error {
	if n == 0 {
		return errTruncated
	}
	return errMalformed
}
