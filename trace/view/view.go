// Package view makes the viewer: one HTML file that holds the page, its style, its program and the trace. It opens from disk, loads
// nothing, and sends nothing.
//
// The program is plain JavaScript in assets/, one concept per file, written as modules so that node can test each; [script] joins them
// into one. A reader of the page can read them there.
//
// Everything in a trace may come from a hostile container. It is data here, never markup: the trace travels as JSON in which "<" is
// escaped, the program puts text into the page only as text, and the page's content security policy runs nothing but the one script
// whose hash it names.
package view

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"hull/trace/model"
)

//go:embed assets/*.js assets/page.html assets/style.css
var assets embed.FS

// modules are the program's files in the order of their dependencies: a module may import only from those before it.
var modules = []string{
	"data.js", "time.js", "level.js", "tell.js", "tree.js", "lanes.js", "bars.js", "marks.js", "arrows.js", "layout.js", "search.js", "place.js",
	"theme.js", "glyph.js", "draw.js", "element.js", "markdown.js", "panel.js", "legend.js", "table.js", "treeview.js", "timeline.js", "page.js", "main.js",
}

var page = template.Must(template.ParseFS(assets, "assets/page.html"))

// Write writes the page for t.
func Write(w io.Writer, t *model.Trace) error {
	style, err := assets.ReadFile("assets/style.css")
	if err != nil {
		return err
	}
	program, err := script()
	if err != nil {
		return err
	}
	data, err := json.Marshal(columns(t)) // escapes <, >, &, U+2028 and U+2029
	if err != nil {
		return err
	}
	return page.Execute(w, map[string]any{
		"Policy": "default-src 'none'; img-src data:; style-src " + hash(style) + "; script-src " + hash(program) + "; base-uri 'none'; form-action 'none'",
		"Style":  template.CSS(style),
		"Script": template.JS(program),
		"Data":   template.JS(data), // JSON as it is: safe by json.Marshal's escapes
		"Title":  strings.ToValidUTF8(strings.Join(t.Command, " "), "\ufffd"),
	})
}

// hash is a content security policy's name for an inline element: the page runs it only unchanged.
func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// script joins the modules into one, without their import and export words: what is exported by one is simply there for the next.
func script() ([]byte, error) {
	var out bytes.Buffer
	for _, name := range modules {
		text, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "\n// ---- %s\n", name)
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if strings.HasPrefix(line, "import ") {
				continue
			}
			out.WriteString(strings.TrimPrefix(line, "export ") + "\n")
		}
	}
	return out.Bytes(), nil
}
