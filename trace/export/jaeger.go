package export

import (
	"fmt"
	"strconv"

	"hull/trace/model"
)

// Jaeger's own JSON, as its query service answers and its UI reads a file (jaeger: internal/uimodel). Times are in µs; a duration of
// less than one becomes one, so that it can be seen.

type jaeger struct {
	Data   []jaegerTrace `json:"data"`
	Total  int           `json:"total"`
	Limit  int           `json:"limit"`
	Offset int           `json:"offset"`
	Errors []string      `json:"errors"`
}

type jaegerTrace struct {
	TraceID   string                   `json:"traceID"`
	Spans     []jaegerSpan             `json:"spans"`
	Processes map[string]jaegerProcess `json:"processes"`
	Warnings  []string                 `json:"warnings"`
}

type jaegerProcess struct {
	ServiceName string      `json:"serviceName"`
	Tags        []jaegerTag `json:"tags"`
}

type jaegerSpan struct {
	TraceID       string      `json:"traceID"`
	SpanID        string      `json:"spanID"`
	Flags         int         `json:"flags"`
	OperationName string      `json:"operationName"`
	References    []jaegerRef `json:"references"`
	StartTime     int64       `json:"startTime"`
	Duration      int64       `json:"duration"`
	Tags          []jaegerTag `json:"tags"`
	Logs          []jaegerLog `json:"logs"`
	ProcessID     string      `json:"processID"`
	Warnings      []string    `json:"warnings"`
}

type jaegerRef struct {
	RefType string `json:"refType"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

type jaegerTag struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

type jaegerLog struct {
	Timestamp int64       `json:"timestamp"`
	Fields    []jaegerTag `json:"fields"`
}

func jaegerFile(t *model.Trace) jaeger {
	out := jaegerTrace{TraceID: t.ID, Spans: []jaegerSpan{}, Processes: map[string]jaegerProcess{}, Warnings: t.Notes}
	if t.Lost.Events+t.Lost.Spans > 0 {
		out.Warnings = append(out.Warnings[:len(out.Warnings):len(out.Warnings)], fmt.Sprintf("lost: %d kernel events, %d spans", t.Lost.Events, t.Lost.Spans))
	}
	processes := map[string]string{} // service and pid to process id
	for _, r := range rows(t) {
		key := r.service + "\x00" + strconv.Itoa(r.proc.PID) + "\x00" + strconv.FormatUint(r.proc.Start, 10)
		p, ok := processes[key]
		if !ok {
			p = "p" + strconv.Itoa(len(processes)+1)
			processes[key] = p
			out.Processes[p] = jaegerProcess{ServiceName: r.service, Tags: jaegerTags([]attr{number("process.pid", int64(r.proc.PID))})}
		}
		out.Spans = append(out.Spans, jaegerSpanOf(t.ID, p, r))
	}
	return jaeger{Data: []jaegerTrace{out}, Total: 1}
}

func jaegerSpanOf(trace, process string, r row) jaegerSpan {
	s := jaegerSpan{
		TraceID: trace, SpanID: r.id, Flags: 1, OperationName: r.name, ProcessID: process,
		StartTime: r.start / 1000, Duration: max(1, (r.end-r.start)/1000), References: []jaegerRef{}, Logs: []jaegerLog{},
		Tags: jaegerTags(r.attrs),
	}
	if r.parent != "" {
		s.References = append(s.References, jaegerRef{"CHILD_OF", trace, r.parent})
	}
	for _, l := range r.links {
		s.References = append(s.References, jaegerRef{"FOLLOWS_FROM", trace, l})
	}
	if r.err != "" {
		s.Tags = append(s.Tags, jaegerTag{"error", "bool", true}, jaegerTag{"otel.status_description", "string", r.err})
	}
	if r.warning != "" {
		s.Warnings = append(s.Warnings, r.warning)
	}
	if r.orphan {
		s.Warnings = append(s.Warnings, "its parent span never arrived")
	}
	for _, m := range r.marks {
		fields := append([]jaegerTag{{"event", "string", m.name}}, jaegerTags(m.attrs)...)
		s.Logs = append(s.Logs, jaegerLog{Timestamp: m.time / 1000, Fields: fields})
	}
	return s
}

func jaegerTags(attrs []attr) []jaegerTag {
	tags := make([]jaegerTag, 0, len(attrs))
	for _, a := range attrs {
		if a.isInt {
			tags = append(tags, jaegerTag{a.key, "int64", a.num})
		} else {
			tags = append(tags, jaegerTag{a.key, "string", a.str})
		}
	}
	return tags
}
