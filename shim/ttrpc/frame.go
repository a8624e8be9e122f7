package ttrpc

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"hull/shim/wire"
)

// A frame is a header of ten bytes (length and stream, big-endian; type; flags) and a message. A call is a stream: one request, one
// response, under an odd number that the client gives out and that only grows.

const (
	headerSize = 10
	maxMessage = 4 << 20

	typeRequest  = 1
	typeResponse = 2
	typeData     = 3 // streaming, which no method of a shim's has
)

// trusted is the length for which a buffer is made before the bytes have come; a longer one grows as they come.
const trusted = 64 << 10

var errTooLong = errors.New("the message is longer than 4 MiB")

type header struct {
	length uint32
	stream uint32
	kind   byte
	flags  byte
}

// readFrame reads the next frame. With errTooLong the frame has been passed over and the connection is in order.
func readFrame(r *bufio.Reader) (h header, body []byte, err error) {
	var b [headerSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return h, nil, err
	}
	h = header{binary.BigEndian.Uint32(b[0:]), binary.BigEndian.Uint32(b[4:]), b[8], b[9]}
	switch {
	case h.length > maxMessage:
		if _, err := io.CopyN(io.Discard, r, int64(h.length)); err != nil {
			return h, nil, err
		}
		return h, nil, errTooLong
	case h.length > trusted:
		var buf bytes.Buffer
		_, err = io.CopyN(&buf, r, int64(h.length))
		return h, buf.Bytes(), err
	}
	body = make([]byte, h.length)
	_, err = io.ReadFull(r, body)
	return h, body, err
}

// frame is a message in its frame, so that it leaves in one write.
func frame(stream uint32, kind byte, m wire.Message) ([]byte, error) {
	b := wire.Append(make([]byte, headerSize, 256), m)
	length := len(b) - headerSize
	if length > maxMessage {
		return nil, errTooLong
	}
	binary.BigEndian.PutUint32(b[0:], uint32(length))
	binary.BigEndian.PutUint32(b[4:], stream)
	b[8] = kind
	return b, nil
}
