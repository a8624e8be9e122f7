package export

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes a foreign string safe for a terminal: control characters, characters that change the direction or cannot be seen, and
// bytes that are no UTF-8 are written as escapes, so that a name can neither move the cursor nor pose as another.
func clean(s string) string {
	safe := true
	for i := 0; i < len(s) && safe; i++ {
		safe = s[i] >= 0x20 && s[i] < 0x7f
	}
	if safe {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// fit is clean s in at most width characters; what does not fit ends in an ellipsis.
func fit(s string, width int) string {
	s = clean(s)
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return string([]rune(s)[:width-1]) + "…"
}

// fitMiddle is fit for paths and their like: both ends tell them apart, so the middle goes.
func fitMiddle(s string, width int) string {
	r := []rune(clean(s))
	if len(r) <= width {
		return string(r)
	}
	if width < 3 {
		return fit(s, width)
	}
	head := (width - 1) / 2
	return string(r[:head]) + "…" + string(r[len(r)-(width-1-head):])
}

// pad is fit, filled up with spaces.
func pad(s string, width int) string {
	s = fit(s, width)
	return s + strings.Repeat(" ", width-utf8.RuneCountInString(s))
}

// duration is a time in three or four digits and its unit: "380 µs", "4.21 ms", "1.50 s".
func duration(ns int64) string {
	switch us := float64(ns) / 1e3; {
	case us < 999.5:
		return fmt.Sprintf("%.0f µs", us)
	case us < 9_995:
		return fmt.Sprintf("%.2f ms", us/1e3)
	case us < 99_950:
		return fmt.Sprintf("%.1f ms", us/1e3)
	case us < 999_500:
		return fmt.Sprintf("%.0f ms", us/1e3)
	default:
		return fmt.Sprintf("%.2f s", us/1e6)
	}
}

// offset is a moment's distance from the start, in ms with two decimals.
func offset(ns int64) string { return fmt.Sprintf("%.2f ms", float64(ns)/1e6) }

// count is a number and its noun: "1 step", "2 steps".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
