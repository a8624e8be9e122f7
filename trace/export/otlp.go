package export

import (
	"strconv"

	"hull/stages"
	"hull/trace/model"
)

// OpenTelemetry's JSON (opentelemetry-proto, docs/specification.md#json-protobuf-encoding): ids in hex, 64-bit numbers as strings,
// names in lowerCamelCase. One TracesData message on one line is both plain JSON and JSON lines.

type otlp struct {
	ResourceSpans []otlpResourceSpans `json:"resourceSpans"`
}

type otlpResourceSpans struct {
	Resource   otlpAttrs        `json:"resource"`
	ScopeSpans []otlpScopeSpans `json:"scopeSpans"`
}

type otlpAttrs struct {
	Attributes []otlpAttr `json:"attributes"`
}

type otlpScopeSpans struct {
	Scope otlpScope  `json:"scope"`
	Spans []otlpSpan `json:"spans"`
}

type otlpScope struct {
	Name string `json:"name"`
}

type otlpSpan struct {
	TraceID           string      `json:"traceId"`
	SpanID            string      `json:"spanId"`
	ParentSpanID      string      `json:"parentSpanId,omitempty"`
	Name              string      `json:"name"`
	Kind              int         `json:"kind"` // 1: internal
	StartTimeUnixNano string      `json:"startTimeUnixNano"`
	EndTimeUnixNano   string      `json:"endTimeUnixNano"`
	Attributes        []otlpAttr  `json:"attributes"`
	Events            []otlpEvent `json:"events,omitempty"`
	Links             []otlpLink  `json:"links,omitempty"`
	Status            *otlpStatus `json:"status,omitempty"`
}

type otlpAttr struct {
	Key   string    `json:"key"`
	Value otlpValue `json:"value"`
}

type otlpValue struct {
	String *string `json:"stringValue,omitempty"`
	Int    *string `json:"intValue,omitempty"`
}

type otlpEvent struct {
	TimeUnixNano string     `json:"timeUnixNano"`
	Name         string     `json:"name"`
	Attributes   []otlpAttr `json:"attributes"`
}

type otlpLink struct {
	TraceID string `json:"traceId"`
	SpanID  string `json:"spanId"`
}

type otlpStatus struct {
	Message string `json:"message,omitempty"`
	Code    int    `json:"code"` // 2: error
}

// otlpFile groups the rows by resource: a service in a process.
func otlpFile(t *model.Trace) otlp {
	type resource struct {
		service string
		proc    model.Proc
	}
	out := otlp{ResourceSpans: []otlpResourceSpans{}}
	index := map[resource]int{}
	for _, r := range rows(t) {
		key := resource{r.service, r.proc}
		i, ok := index[key]
		if !ok {
			i = len(out.ResourceSpans)
			index[key] = i
			out.ResourceSpans = append(out.ResourceSpans, otlpResourceSpans{
				Resource: otlpAttrs{otlpAttrsOf([]attr{
					text("service.name", r.service), number(stages.AttrPID, int64(r.proc.PID)), number(stages.AttrStart, int64(r.proc.Start)),
				})},
				ScopeSpans: []otlpScopeSpans{{Scope: otlpScope{"hull"}, Spans: []otlpSpan{}}},
			})
		}
		scope := &out.ResourceSpans[i].ScopeSpans[0]
		scope.Spans = append(scope.Spans, otlpSpanOf(t.ID, r))
	}
	return out
}

func otlpSpanOf(trace string, r row) otlpSpan {
	s := otlpSpan{
		TraceID: trace, SpanID: r.id, ParentSpanID: r.parent, Name: r.name, Kind: 1,
		StartTimeUnixNano: strconv.FormatInt(r.start, 10), EndTimeUnixNano: strconv.FormatInt(r.end, 10), Attributes: otlpAttrsOf(r.attrs),
	}
	if r.err != "" {
		s.Status = &otlpStatus{Message: r.err, Code: 2}
	}
	for _, l := range r.links {
		s.Links = append(s.Links, otlpLink{trace, l})
	}
	for _, m := range r.marks {
		s.Events = append(s.Events, otlpEvent{strconv.FormatInt(m.time, 10), m.name, otlpAttrsOf(m.attrs)})
	}
	return s
}

func otlpAttrsOf(attrs []attr) []otlpAttr {
	out := make([]otlpAttr, 0, len(attrs))
	for _, a := range attrs {
		v := otlpValue{String: &a.str}
		if a.isInt {
			n := strconv.FormatInt(a.num, 10)
			v = otlpValue{Int: &n}
		}
		out = append(out, otlpAttr{a.key, v})
	}
	return out
}
