// Package export writes a trace in the forms that other tools, and people, read.
//
//	jaeger  Jaeger's native JSON: its UI opens the file without a server
//	otlp    OpenTelemetry's JSON, one trace per line
//	html    one page that opens from disk (trace/view)
//	text    the terminal timeline
//	json    trace/model as it is
//
// hull-trace calls it. It decides nothing about the trace: what is proved, and by what, is the model's. Everything in a trace may come
// from a hostile container or a foreign program; each form escapes it in its own way.
package export

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"hull/trace/model"
	"hull/trace/view"
)

// Formats are the names that Write knows.
var Formats = []string{"jaeger", "otlp", "html", "text", "json"}

// Write writes t in the format. An unknown format is an error that names it.
func Write(w io.Writer, format string, t *model.Trace) error {
	switch format {
	case "jaeger":
		return json.NewEncoder(w).Encode(jaegerFile(t))
	case "otlp":
		return json.NewEncoder(w).Encode(otlpFile(t))
	case "html":
		return view.Write(w, t)
	case "text":
		return Text{}.Write(w, t)
	case "json":
		return json.NewEncoder(w).Encode(t)
	}
	return fmt.Errorf("unknown trace format %q: known are %s", format, strings.Join(Formats, ", "))
}

// FormatOf is the format that a file's name asks for by its suffix.
func FormatOf(file string) (string, error) {
	for _, s := range []struct{ suffix, format string }{
		{".otlp.json", "otlp"}, {".json", "jaeger"}, {".html", "html"}, {".txt", "text"}, // the longer suffix first
	} {
		if strings.HasSuffix(file, s.suffix) {
			return s.format, nil
		}
	}
	return "", fmt.Errorf("%s: the suffix names no trace format: use .json (Jaeger), .otlp.json, .html or .txt", file)
}
