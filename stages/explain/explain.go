// Package explain holds one text per step of the catalogue, written for a student: what happens, why just here, what breaks without it,
// how to see it oneself, where to read on. The command line, the viewer and docs/stages.md show the same text.
//
// A text is plain Markdown of few kinds: paragraphs that begin with a bold word, `code`, and one indented command. Its sections are
// those of [Sections], in that order; a test holds them.
//
// It imports only the catalogue. The texts are about 60 kB of read-only data, and no page of them is touched before one is read: `hull run` does not
// pay for what `hull explain` needs. The runtime, the shim and the bundle maker leave them out all the same (docs/deps).
package explain

import (
	"embed"

	"hull/stages"
)

//go:embed *.md
var texts embed.FS

// Sections are the bold words with which a text's paragraphs begin, in order.
var Sections = []string{"What happens.", "Why here.", "Without it.", "Try it.", "Read."}

// Text is the explanation of a step, in Markdown; "" for an id that is not in the catalogue.
func Text(id stages.ID) string {
	text, err := texts.ReadFile(id.String() + ".md")
	if err != nil {
		return ""
	}
	return string(text)
}
