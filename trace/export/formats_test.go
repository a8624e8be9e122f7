package export_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"hull/trace/export"
	"hull/trace/model"
	"hull/trace/model/modeltest"

	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

type ref struct{ RefType, TraceID, SpanID string }

type tag struct {
	Key, Type string
	Value     any
}

// jaegerFile is the form as Jaeger's UI reads it (jaeger-ui: src/types/trace.ts), written down a second time on purpose.
type jaegerFile struct {
	Data []struct {
		TraceID string
		Spans   []struct {
			TraceID, SpanID, OperationName, ProcessID string
			References                                []ref
			StartTime, Duration                       int64
			Tags                                      []tag
			Logs                                      []struct {
				Timestamp int64
				Fields    []tag
			}
			Warnings []string
		}
		Processes map[string]struct {
			ServiceName string
			Tags        []tag
		}
		Warnings []string
	}
}

func readJaeger(t *testing.T, trace *model.Trace) jaegerFile {
	var out bytes.Buffer
	require.NoError(t, export.Write(&out, "jaeger", trace))
	dec := json.NewDecoder(&out)
	var f jaegerFile
	require.NoError(t, dec.Decode(&f))
	require.Len(t, f.Data, 1)
	return f
}

func value(tags []tag, key string) any {
	for _, t := range tags {
		if t.Key == key {
			return t.Value
		}
	}
	return nil
}

// TestJaeger holds the file to what Jaeger's UI needs to draw it: ids, references inside the file, processes, typed tags.
func TestJaeger(t *testing.T) {
	run := modeltest.Run()
	run.Spans[3].Links = []string{run.Spans[2].ID}
	run.Spans[4].Error = "no such image"
	d := readJaeger(t, run).Data[0]
	ids := map[string]int{}
	for i, s := range d.Spans {
		require.Equal(t, d.TraceID, s.TraceID)
		require.Regexp(t, regexp.MustCompile("^[0-9a-f]{16}$"), s.SpanID)
		require.NotContains(t, ids, s.SpanID)
		require.NotEmpty(t, d.Processes[s.ProcessID].ServiceName)
		require.Positive(t, s.Duration)
		ids[s.SpanID] = i
		for _, g := range s.Tags {
			require.Contains(t, []string{"string", "int64", "bool"}, g.Type)
			_, isNumber := g.Value.(float64)
			require.Equal(t, g.Type == "int64", isNumber, g)
		}
	}
	byName := map[string]int{}
	for i, s := range d.Spans {
		for _, r := range s.References {
			require.Contains(t, ids, r.SpanID)
		}
		byName[s.OperationName] = i
	}
	root := d.Spans[byName["client.command"]]
	require.Empty(t, root.References)
	require.EqualValues(t, 0, value(root.Tags, "hull.events.lost"))
	require.Equal(t, "client.command", value(root.Tags, "hull.step"))

	pivot := d.Spans[byName["runc.init.pivot_root"]]
	require.Equal(t, "proved", value(pivot.Tags, "hull.proof"))
	require.Equal(t, "span", value(pivot.Tags, "hull.claim"))
	require.Equal(t, "kernel.umount", value(pivot.Logs[0].Fields, "event"))
	kernel := d.Spans[byName["kernel.pivot_root"]]
	require.Equal(t, []ref{{"CHILD_OF", d.TraceID, pivot.SpanID}}, kernel.References)
	require.Equal(t, "hull-runc", d.Processes[kernel.ProcessID].ServiceName)
	require.EqualValues(t, 4747, value(d.Processes[kernel.ProcessID].Tags, "process.pid"))

	require.Contains(t, d.Spans[3].References, ref{"FOLLOWS_FROM", d.TraceID, d.Spans[2].SpanID})
	require.Equal(t, true, value(d.Spans[4].Tags, "error"))
	reparent := d.Spans[byName["kernel.reparent"]]
	require.Equal(t, "4731", value(reparent.Tags, "new"))
}

// TestJaegerShowsLacks: what is unproved, lost or absent can be seen in Jaeger as well.
func TestJaegerShowsLacks(t *testing.T) {
	d := readJaeger(t, modeltest.Liar()).Data[0]
	require.Equal(t, []string{"lost: 12 kernel events, 0 spans"}, d.Warnings)
	unproved := 0
	for _, s := range d.Spans {
		if value(s.Tags, "hull.proof") == "unproved" {
			unproved++
			require.Equal(t, []string{"claimed, not proved: no kernel.pivot_root in this process in this time"}, s.Warnings)
		}
	}
	require.Equal(t, 1, unproved)

	orphan := modeltest.Unseen()
	orphan.Spans = orphan.Spans[1:]
	d = readJaeger(t, orphan).Data[0]
	require.Equal(t, []string{"kernel rows absent: no BPF rights (EPERM)"}, d.Warnings)
	require.Equal(t, []string{"its parent span never arrived"}, d.Spans[0].Warnings)
}

// TestOTLP reads the line back with OpenTelemetry's own types.
func TestOTLP(t *testing.T) {
	run := modeltest.Run()
	var out bytes.Buffer
	require.NoError(t, export.Write(&out, "otlp", run))
	require.Equal(t, 1, strings.Count(out.String(), "\n"), "one trace, one line")
	// protojson reads the ids as base64; the protocol's JSON has them in hex, so they are looked at in the text.
	var data tracepb.TracesData
	require.NoError(t, protojson.Unmarshal(out.Bytes(), &data))
	require.Contains(t, out.String(), `"traceId":"`+run.ID+`"`)
	_, err := hex.DecodeString(run.Spans[0].ID)
	require.NoError(t, err)

	names := map[string]int{}
	for _, r := range data.ResourceSpans {
		require.Equal(t, "service.name", r.Resource.Attributes[0].Key)
		for _, s := range r.ScopeSpans[0].Spans {
			names[s.Name]++
			require.LessOrEqual(t, s.StartTimeUnixNano, s.EndTimeUnixNano)
			for _, e := range s.Events {
				names[e.Name]++
			}
		}
	}
	for _, s := range run.Spans {
		require.NotZero(t, names[s.Name])
	}
	for _, e := range run.Events {
		require.NotZero(t, names["kernel."+e.Kind])
	}
}

// TestJSON: the model's own form comes back as it was.
func TestJSON(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, export.Write(&out, "json", modeltest.Run()))
	var back model.Trace
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	require.Equal(t, modeltest.Run().Summary(), back.Summary())
	require.Len(t, back.Events, len(modeltest.Run().Events))
}

// TestEmpty: a trace in which nothing arrived is still a file of each form.
func TestEmpty(t *testing.T) {
	for _, format := range export.Formats {
		var out bytes.Buffer
		require.NoError(t, export.Write(&out, format, &model.Trace{ID: strings.Repeat("0", 31) + "1"}), format)
		require.NotZero(t, out.Len(), format)
	}
	require.ErrorContains(t, export.Write(nil, "pdf", nil), `unknown trace format "pdf"`)
}

// TestFormatOf: a file's suffix names its form.
func TestFormatOf(t *testing.T) {
	for file, want := range map[string]string{"a.json": "jaeger", "d/a.otlp.json": "otlp", "a.html": "html", "a.txt": "text", "a.pdf": "", "json": ""} {
		got, err := export.FormatOf(file)
		require.Equal(t, want, got)
		require.Equal(t, want == "", err != nil)
	}
}
