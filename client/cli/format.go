package cli

import (
	"io"
	"strings"

	"hull/client/format"
)

// printList prints a list; what is wrong with the template is said in docker's words.
func printList(w io.Writer, l format.List, text string, rows []format.Row) error {
	if err := l.Print(w, text, rows); err != nil {
		return said(err.Error())
	}
	return nil
}

// oneTemplate reads the --format of a single object; "json" is the whole of it.
func oneTemplate(text string) (*format.Template, error) {
	if strings.TrimSpace(text) == "json" {
		text = "{{json .}}"
	}
	return format.Parse(strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(text))
}
