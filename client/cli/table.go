package cli

import (
	"io"
	"strings"
	"unicode/utf8"
)

// A table is rows of cells, the first row its head. It prints as docker's do: columns three spaces apart and at least ten wide, nothing after the last.
type table [][]string

func (t table) print(w io.Writer) {
	width := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell)+3, 10)
		}
	}
	for _, row := range t {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)))
			}
		}
		io.WriteString(w, line.String()+"\n")
	}
}
