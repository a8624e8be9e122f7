package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"hull/stages"
	"hull/stages/instance"
)

// A Tracer talks to hull-trace over its control socket (docs/seams.md, section 4).
type Tracer struct{ Socket string }

// A Started is hull-trace's answer to a new trace.
type Started struct {
	ID     string `json:"id"`
	Kernel bool   `json:"kernel"` // the kernel's side is recorded too
	Reason string `json:"reason"` // why not
}

// A Summary is one trace in numbers.
type Summary struct {
	ID           string   `json:"id"`
	Command      []string `json:"command"`
	Container    string   `json:"container"`
	Start        int64    `json:"start"` // Unix time in ns
	End          int64    `json:"end"`   // 0 while it goes on
	Steps        int      `json:"steps"`
	Proved       int      `json:"proved"`
	Unproved     int      `json:"unproved"`
	KernelEvents int      `json:"kernelEvents"`
	Lost         int      `json:"lost"`
	Reparented   string   `json:"reparented"` // the binary that became the container's parent
}

// Begin announces a trace: from the answer on, what process pid and its descendants do is recorded.
func (t Tracer) Begin(ctx context.Context, id string, pid int, command []string) (s Started, err error) {
	body := struct {
		ID      string   `json:"id"`
		PID     int      `json:"pid"`
		Command []string `json:"command"`
	}{id, pid, command}
	return s, t.get(ctx, "POST", "/traces", body, &s)
}

// End says that the client is about to leave, and returns when the trace is complete.
func (t Tracer) End(ctx context.Context, id string) (s Summary, err error) {
	return s, t.get(ctx, "POST", "/traces/"+url.PathEscape(id)+"/end", nil, &s)
}

// List lists the traces, newest first.
func (t Tracer) List(ctx context.Context) (list []Summary, err error) {
	return list, t.get(ctx, "GET", "/traces", nil, &list)
}

// A Timeline says how the terminal timeline is written; each zero value leaves it to hull-trace.
type Timeline struct {
	Level string // story, stages or all
	Width int    // columns
	Color bool
}

// Show writes the trace's timeline.
func (t Tracer) Show(ctx context.Context, id string, form Timeline, w io.Writer) error {
	query := url.Values{"format": {"text"}, "level": {form.Level}, "width": {strconv.Itoa(form.Width)}, "color": {strconv.FormatBool(form.Color)}}
	return t.export(ctx, id, query, w)
}

// Export writes the trace in the given form: jaeger, otlp, html, text or json. id may be a unique prefix, a container's id, or "last".
func (t Tracer) Export(ctx context.Context, id, format string, w io.Writer) error {
	return t.export(ctx, id, url.Values{"format": {format}}, w)
}

func (t Tracer) export(ctx context.Context, id string, query url.Values, w io.Writer) error {
	resp, err := t.call(ctx, "GET", "/traces/"+url.PathEscape(id)+"/export?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer resp.Close()
	_, err = io.Copy(w, resp.body)
	return err
}

// Remove deletes a trace.
func (t Tracer) Remove(ctx context.Context, id string) error {
	return t.get(ctx, "DELETE", "/traces/"+url.PathEscape(id), nil, nil)
}

func (t Tracer) get(ctx context.Context, method, target string, body, into any) error {
	resp, err := t.call(ctx, method, target, body)
	if err != nil {
		return err
	}
	defer resp.Close()
	return decode(resp.body, into, method+" "+target)
}

func (t Tracer) call(ctx context.Context, method, target string, body any) (*response, error) {
	req := request{method: method, target: target}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		req.kind, req.body, req.length = "application/json", bytes.NewReader(b), int64(len(b))
	}
	conn, err := instance.Dial(ctx, "unix", t.Socket)
	var resp *response
	if err == nil {
		resp, err = roundTrip(ctx, conn, req)
	}
	if err != nil {
		return nil, &stages.Error{Kind: stages.Unavailable, Thing: t.Socket, Err: fmt.Errorf("cannot reach hull-trace: %w", cause(err)), Hint: "see: hull status"}
	}
	if resp.status >= 400 {
		defer resp.Close()
		err := apiError(resp).(*APIError)
		return nil, &stages.Error{Kind: kindOf(err.Status), Err: fmt.Errorf("hull-trace: %s", err.Message)}
	}
	return resp, nil
}

// kindOf is the kind behind an HTTP status: the catalogue's table, read backwards.
func kindOf(status int) stages.Kind {
	for _, k := range []stages.Kind{stages.Invalid, stages.NotFound, stages.Conflict, stages.Denied, stages.Unavailable, stages.Unsupported, stages.Exhausted} {
		if k.HTTP() == status {
			return k
		}
	}
	return stages.Internal
}

// Kernel asks whether the kernel's side can be recorded here, and if not, why.
func (t Tracer) Kernel(ctx context.Context) (s Started, err error) {
	return s, t.get(ctx, "GET", "/kernel", nil, &s)
}
