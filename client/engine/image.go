package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"hull/stages"
)

// Images lists the images: GET /images/json.
func (c *Client) Images(ctx context.Context) (list []Image, err error) {
	return list, c.get(ctx, "GET", "/images/json", nil, nil, &list)
}

// InspectImage is GET /images/{name}/json as the daemon sent it.
func (c *Client) InspectImage(ctx context.Context, name string) (json.RawMessage, error) {
	var raw json.RawMessage
	return raw, c.get(ctx, "GET", "/images/"+imagePath(name)+"/json", nil, nil, &raw)
}

// RemoveImage is DELETE /images/{name}: what was untagged and what was deleted.
func (c *Client) RemoveImage(ctx context.Context, name string, force bool) (list []Deleted, err error) {
	q := url.Values{}
	if force {
		q.Set("force", "1")
	}
	return list, c.get(ctx, "DELETE", "/images/"+imagePath(name), q, nil, &list)
}

// imagePath escapes a name as a path whose slashes stay: the API's routes take /images/hull/tiny/json as it stands.
func imagePath(name string) string { return strings.ReplaceAll(url.PathEscape(name), "%2F", "/") }

// Load sends an archive of images (docker save's form, or an OCI layout) to POST /images/load, and hands each line of the daemon's
// report to say.
func (c *Client) Load(ctx context.Context, archive io.Reader, say func(line string)) error {
	resp, err := c.send(ctx, request{
		method: "POST", target: c.target("/images/load", url.Values{"quiet": {"1"}}),
		kind: "application/x-tar", body: archive, length: -1,
	})
	if err != nil {
		return err
	}
	defer resp.Close()
	if resp.status >= 400 {
		return apiError(resp)
	}
	// The report is a run of JSON objects; one with "error" ends it, although the status was 200 long ago.
	for dec := json.NewDecoder(resp.body); ; {
		var line struct {
			Stream string `json:"stream"`
			Error  string `json:"error"`
		}
		switch err := dec.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return &stages.Error{Kind: stages.Internal, Thing: "POST /images/load", Err: fmt.Errorf("unreadable answer: %w", err)}
		case line.Error != "":
			return &APIError{Status: 500, Message: line.Error}
		case line.Stream != "":
			say(strings.TrimRight(line.Stream, "\n"))
		}
	}
}

// DaemonVersion is GET /version.
func (c *Client) DaemonVersion(ctx context.Context) (v Version, err error) {
	return v, c.get(ctx, "GET", "/version", nil, nil, &v)
}
