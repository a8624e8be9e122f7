package stdio

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

type entry struct {
	Log    string    `json:"log"`
	Stream string    `json:"stream"`
	Time   time.Time `json:"time"`
}

// decode reads records as docker's decoder does: encoding/json, one line each.
func decode(t *testing.T, out []byte) (list []entry) {
	t.Helper()
	for _, line := range bytes.SplitAfter(out, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var e entry
		require.NoError(t, json.Unmarshal(line, &e), "%q", line)
		require.Equal(t, "stdout", e.Stream)
		list = append(list, e)
	}
	return list
}

// split feeds text in pieces of the given size.
func split(text []byte, size int) []byte {
	s := &splitter{stream: "stdout"}
	var out []byte
	for len(text) > 0 {
		n := min(size, len(text))
		out = s.feed(out, text[:n], time.Now())
		text = text[n:]
	}
	return s.flush(out, time.Now())
}

func TestRecordsHoldTheText(t *testing.T) {
	every := make([]byte, 0, 4*utf8.RuneSelf)
	for c := range byte(utf8.RuneSelf) {
		every = append(every, c, 'x')
	}
	for name, text := range map[string]string{
		"empty lines": "\n\n\n", "no newline at the end": "a\nb", "all of ASCII": string(every), "markup": "<a href=\"x\">&amp;</a>\\\n",
		"other scripts": "grüß 漢字 🚢\u2028\u2029\n", "carriage return": "a\r\nb\r\n",
		"long": strings.Repeat("0123456789abcdef", 5000) + "\nshort\n", "long without end": strings.Repeat("é", 40000),
		"just at the limit": strings.Repeat("x", maxRecord-1) + "\n" + strings.Repeat("y", maxRecord) + "\nz\n",
	} {
		for _, size := range []int{1, 7, 4096, 1 << 20} {
			if size == 1 && len(text) > 20000 {
				continue
			}
			joined := ""
			for _, e := range decode(t, split([]byte(text), size)) {
				require.LessOrEqual(t, len(e.Log), maxRecord, name)
				joined += e.Log
			}
			require.Equal(t, text, joined, "%s in pieces of %d", name, size)
		}
	}
}

// The parts of a long line: 16 KiB each, no newline but at the very end, one time for all.
func TestPartialRecords(t *testing.T) {
	list := decode(t, split([]byte(strings.Repeat("x", 2*maxRecord+5)+"\nnext\n"), 1000))
	require.Len(t, list, 4)
	require.Len(t, list[0].Log, maxRecord)
	require.Len(t, list[1].Log, maxRecord)
	require.Equal(t, "xxxxx\n", list[2].Log)
	require.Equal(t, "next\n", list[3].Log)
	require.Equal(t, list[0].Time, list[2].Time)
	require.True(t, list[3].Time.After(list[2].Time))
}

func TestInvalidUTF8(t *testing.T) {
	list := decode(t, split([]byte("a\xffb\xc3\xe2\x82\n"), 1))
	require.Len(t, list, 1)
	require.Equal(t, "a\ufffdb\ufffd\ufffd\ufffd\n", list[0].Log)
}

// Whatever the bytes and however they come, the text that is read back is what JSON can hold of them.
func FuzzRecords(f *testing.F) {
	f.Add([]byte("hello\nworld"), 3)
	f.Add([]byte("\xe2\x82\n\xff"), 1)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		if size <= 0 {
			return
		}
		joined := ""
		for _, e := range decode(t, split(text, size)) {
			joined += e.Log
		}
		require.Equal(t, string([]rune(string(text))), joined)
	})
}
