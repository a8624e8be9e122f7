package stdio

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// maxRecord is how much of a line one record holds; a longer line becomes several, all but the last without "\n" (docker's
// daemon/logger, defaultBufSize).
const maxRecord = 16 << 10

// A splitter turns one stream's bytes into records of docker's json-file format:
//
//	{"log":"hello\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}
//
// It is written by hand because this is the one thing the shim does per line of output.
type splitter struct {
	stream string
	rest   []byte // an unfinished line, shorter than maxRecord
	long   bool   // rest continues a line of which records are written already
	suffix []byte // everything after the text: the parts of one line share their first part's time
}

// feed appends to out the records that p completes.
func (s *splitter) feed(out, p []byte, now time.Time) []byte {
	fresh := false
	for len(p) > 0 {
		window := p[:min(len(p), maxRecord-len(s.rest))]
		end := bytes.IndexByte(window, '\n')
		if end < 0 && len(s.rest)+len(window) < maxRecord {
			s.rest = append(s.rest, window...)
			return out
		}
		if !fresh && !s.long {
			s.stamp(now)
			fresh = true
		}
		if end >= 0 {
			line := window[:end+1]
			if len(s.rest) > 0 {
				s.rest = append(s.rest, line...)
				line = s.rest
			}
			out = s.record(out, line)
			s.rest = s.rest[:0]
			if s.long {
				s.long, fresh = false, false
			}
			p = p[end+1:]
			continue
		}
		s.rest = append(s.rest, window...)
		cut := wholeRunes(s.rest)
		out = s.record(out, s.rest[:cut])
		s.rest = append(s.rest[:0], s.rest[cut:]...)
		s.long = true
		p = p[len(window):]
	}
	return out
}

// flush appends what is left when the stream ends: a last line without a newline.
func (s *splitter) flush(out []byte, now time.Time) []byte {
	if len(s.rest) == 0 {
		return out
	}
	if !s.long {
		s.stamp(now)
	}
	out = s.record(out, s.rest)
	s.rest, s.long = s.rest[:0], false
	return out
}

func (s *splitter) stamp(now time.Time) {
	b := append(s.suffix[:0], `","stream":"`...)
	b = append(b, s.stream...)
	b = append(b, `","time":"`...)
	b = now.UTC().AppendFormat(b, time.RFC3339Nano)
	s.suffix = append(b, "\"}\n"...)
}

func (s *splitter) record(out, text []byte) []byte {
	out = append(out, `{"log":"`...)
	out = appendJSON(out, text)
	return append(out, s.suffix...)
}

// wholeRunes is the length of p without a UTF-8 sequence that is cut off at its end.
func wholeRunes(p []byte) int {
	for i := len(p) - 1; i >= 0 && i >= len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}

// plain marks the bytes that stand for themselves in a JSON string. Like docker we escape <, > and & too.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return t
}()

const hex = "0123456789abcdef"

// appendJSON appends text as the inside of a JSON string. What is no UTF-8 becomes U+FFFD: JSON has no way to hold it.
func appendJSON(out, text []byte) []byte {
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if plain[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			out = append(out, text[start:i]...)
			switch c {
			case '"', '\\':
				out = append(out, '\\', c)
			case '\n':
				out = append(out, `\n`...)
			case '\r':
				out = append(out, `\r`...)
			default:
				out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			out = append(append(out, text[start:i]...), `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029': // line ends to JavaScript
			out = append(append(out, text[start:i]...), `\u202`...)
			out = append(out, hex[r&15])
			start = i + size
		}
		i += size
	}
	return append(out, text[start:]...)
}
