// Package hulltrace asks hull-trace to record a run that did not ask for it itself: a real docker client's, under hulld --trace=always or
// with the label hull.trace=1.
//
// It is called by daemon/engine. An instance without hull-trace is no error anywhere: the run goes on untraced.
package hulltrace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"hull/stages/instance"
)

// Label on a container asks for a trace of its run; its value is "1".
const Label = "hull.trace"

const (
	readyTimeout = 10 * time.Second // a hull-trace that has just been started loads its programs into the kernel
	beginTimeout = 5 * time.Second  // attaching the eBPF programs
	endTimeout   = 60 * time.Second // hull-trace answers when the trace is complete
)

// A Client talks to one instance's hull-trace.
type Client struct {
	// Always means that every create without a trace of its own gets one.
	Always bool
	http   *http.Client
}

// New makes the client; it does not connect.
func New(inst instance.Instance, always bool) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return instance.Dial(ctx, "unix", inst.TraceSocket())
	}
	return &Client{Always: always, http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Ready waits until hull-trace answers, as long as ctx and readyTimeout allow.
func (c *Client) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		err := c.do(ctx, http.MethodGet, "/traces", nil)
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Wanted reports whether a container with these labels is to be traced.
func (c *Client) Wanted(labels map[string]string) bool { return c.Always || labels[Label] == "1" }

// Begin has hull-trace follow the client's process. It returns once the kernel side is attached: what happens from now on is in the trace.
func (c *Client) Begin(ctx context.Context, trace string, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, beginTimeout)
	defer cancel()
	return c.do(ctx, http.MethodPost, "/traces", map[string]any{"id": trace, "pid": pid, "command": commandOf(pid)})
}

// Container tells hull-trace which container the trace is about.
func (c *Client) Container(ctx context.Context, trace, id string) error {
	ctx, cancel := context.WithTimeout(ctx, beginTimeout)
	defer cancel()
	return c.do(ctx, http.MethodPatch, "/traces/"+trace, map[string]any{"container": id})
}

// End says that nothing more of ours will come.
func (c *Client) End(ctx context.Context, trace string) error {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	return c.do(ctx, http.MethodPost, "/traces/"+trace+"/end", nil)
}

func (c *Client) do(ctx context.Context, method, path string, body any) error {
	var r io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://hull-trace"+path, r)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if resp.StatusCode >= 300 {
		return errors.New(fmt.Sprint("hull-trace: ", resp.Status, ": ", strings.TrimSpace(string(text))))
	}
	return nil
}

// commandOf is the process's argument list (proc_pid_cmdline(5)).
func commandOf(pid int) []string {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
}
