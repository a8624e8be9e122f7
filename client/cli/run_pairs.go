package cli

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// readPairs reads files of NAME=VALUE lines (--env-file, --label-file), the one way in which docker does: blanks before a line are left
// out, those in a value belong to it, nothing is unquoted, "#" begins a comment only where a line begins. A name alone is looked up; one
// that is not found is left out, or without lookUp is empty.
func readPairs(files []string, lookUp func(string) (string, bool)) (pairs []string, err error) {
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		for n := 1; lines.Scan() && err == nil; n++ {
			var pair string
			if pair, err = readPair(n, lines.Bytes(), lookUp); pair != "" {
				pairs = append(pairs, pair)
			}
		}
		f.Close()
		if err == nil {
			err = lines.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("invalid env file (%s): %w", file, err)
		}
	}
	return pairs, nil
}

// readPair reads line number n of such a file. "" is a line that says nothing.
func readPair(n int, line []byte, lookUp func(string) (string, bool)) (string, error) {
	if !utf8.Valid(line) {
		return "", fmt.Errorf("invalid utf8 bytes at line %d: %v", n, line)
	}
	text := string(line)
	if n == 1 {
		text = strings.TrimPrefix(text, "\ufeff") // some editors begin a file with a byte order mark
	}
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if text == "" || text[0] == '#' {
		return "", nil
	}
	name, _, assigns := strings.Cut(text, "=")
	switch {
	case name == "":
		return "", fmt.Errorf("no variable name on line '%s'", text)
	case strings.ContainsAny(name, " \t"):
		return "", fmt.Errorf("variable '%s' contains whitespaces", name)
	case assigns:
		return text, nil
	case lookUp == nil:
		return name, nil
	}
	if value, ok := lookUp(name); ok {
		return name + "=" + value, nil
	}
	return "", nil
}
