package collect

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"hull/stages"
	"hull/trace/export"
	"hull/trace/model"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// A pusher sends finished traces to an OpenTelemetry collector, one after the other, without holding up anything: a trace that cannot be sent
// within a minute is given up and named in the log. It stays in the store.
type pusher struct {
	client otlptrace.Client
	queue  chan *model.Trace
	done   sync.WaitGroup
}

const (
	pushQueue   = 64
	pushTimeout = time.Minute
)

// newPusher connects to an endpoint: http://, https:// or grpc://HOST:PORT. "" makes none.
func newPusher(endpoint string) (*pusher, error) {
	if endpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "--otlp " + endpoint, Err: errors.New("not a URL with a host"), Hint: "http://HOST:4318 or grpc://HOST:4317"}
	}
	p := &pusher{queue: make(chan *model.Trace, pushQueue)}
	switch u.Scheme {
	case "http", "https":
		if u.Path == "" || u.Path == "/" {
			u.Path = "/v1/traces"
		}
		p.client = otlptracehttp.NewClient(otlptracehttp.WithEndpointURL(u.String()))
	case "grpc":
		p.client = otlptracegrpc.NewClient(otlptracegrpc.WithEndpoint(u.Host), otlptracegrpc.WithInsecure())
	default:
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "--otlp " + endpoint, Err: errors.New("unknown scheme " + u.Scheme), Hint: "http, https or grpc"}
	}
	if err := p.client.Start(context.Background()); err != nil { // it does not connect yet
		return nil, err
	}
	p.done.Go(p.run)
	return p, nil
}

// take queues a trace; a full queue means that the collector has been away for long.
func (p *pusher) take(t *model.Trace) {
	select {
	case p.queue <- t:
	default:
		slog.Warn("trace not pushed: too many wait", "trace", t.ID)
	}
}

func (p *pusher) run() {
	for t := range p.queue {
		spans, err := resourceSpans(t)
		if err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), pushTimeout)
			err = p.client.UploadTraces(ctx, spans)
			cancel()
		}
		if err != nil {
			slog.Warn("trace not pushed", "trace", t.ID, "err", err)
		}
	}
}

// close sends what is queued, a second long at most: the traces are in the store.
func (p *pusher) close() {
	if p == nil {
		return
	}
	close(p.queue)
	sent := make(chan struct{})
	go func() { p.done.Wait(); close(sent) }()
	select {
	case <-sent:
	case <-time.After(time.Second):
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p.client.Stop(ctx)
}

// resourceSpans is the trace as the OTLP export has it: one form, whether it is written or pushed. OTLP's JSON has ids in hexadecimal where
// protobuf's own JSON wants base64.
func resourceSpans(t *model.Trace) ([]*otlp.ResourceSpans, error) {
	var text bytes.Buffer
	if err := export.Write(&text, "otlp", t); err != nil {
		return nil, err
	}
	var doc any
	dec := json.NewDecoder(&text)
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	idsToBase64(doc)
	again, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var data otlp.TracesData
	if err := protojson.Unmarshal(again, &data); err != nil {
		return nil, err
	}
	return data.ResourceSpans, nil
}

func idsToBase64(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			idsToBase64(x)
		}
	case map[string]any:
		for k, x := range v {
			if s, ok := x.(string); ok && (k == "traceId" || k == "spanId" || k == "parentSpanId") {
				raw, _ := hex.DecodeString(s)
				v[k] = base64.StdEncoding.EncodeToString(raw)
			} else {
				idsToBase64(x)
			}
		}
	}
}
