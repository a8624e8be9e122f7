package engine

import (
	"context"
	"net/url"
)

// Conditions of a wait.
const (
	NotRunning = ""          // it does not run, which may be so already
	NextExit   = "next-exit" // the next time the container ends
	Removed    = "removed"   // it is gone
)

// A Waiter is a wait whose answer has begun and not ended.
type Waiter struct{ resp *response }

// Wait registers the wait: POST /containers/{id}/wait. It returns when the answer's headers are there: from that moment no exit can be
// missed, so the container may be started. A daemon that held its headers back until the exit would never get to start it.
func (c *Client) Wait(ctx context.Context, id, condition string) (*Waiter, error) {
	q := url.Values{}
	if condition != NotRunning {
		q.Set("condition", condition)
	}
	resp, err := c.call(ctx, "POST", "/containers/"+url.PathEscape(id)+"/wait", q, nil)
	if err != nil {
		return nil, err
	}
	return &Waiter{resp}, nil
}

// Result blocks until the condition holds and returns the container's exit status (0..255). It closes the waiter.
func (w *Waiter) Result() (int, error) {
	defer w.resp.Close()
	var end struct {
		StatusCode int
		Error      *struct{ Message string }
	}
	if err := decode(w.resp.body, &end, "wait"); err != nil {
		return 0, err
	}
	if end.Error != nil && end.Error.Message != "" {
		return 0, &APIError{Status: 500, Message: end.Error.Message}
	}
	return end.StatusCode, nil
}

// Close gives the wait up.
func (w *Waiter) Close() { w.resp.Close() }
