package engine

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"strings"
)

// Images lists the images: GET /images/json.
func (c *Client) Images(ctx context.Context, all bool, filters Filters) (list []Image, err error) {
	q := url.Values{}
	if all {
		q.Set("all", "1")
	}
	filters.add(q)
	return list, c.get(ctx, "GET", "/images/json", q, nil, &list)
}

// InspectImage is GET /images/{name}/json as the daemon sent it.
func (c *Client) InspectImage(ctx context.Context, name string) (json.RawMessage, error) {
	var raw json.RawMessage
	return raw, c.get(ctx, "GET", "/images/"+imagePath(name)+"/json", nil, nil, &raw)
}

// RemoveImage is DELETE /images/{name}: what was untagged and what was deleted.
func (c *Client) RemoveImage(ctx context.Context, name string, force, noPrune bool) (list []Deleted, err error) {
	q := url.Values{}
	if force {
		q.Set("force", "1")
	}
	if noPrune {
		q.Set("noprune", "1")
	}
	return list, c.get(ctx, "DELETE", "/images/"+imagePath(name), q, nil, &list)
}

// TagImage is POST /images/{name}/tag: a further name for an image.
func (c *Client) TagImage(ctx context.Context, name, repository, tag string) error {
	return c.get(ctx, "POST", "/images/"+imagePath(name)+"/tag", url.Values{"repo": {repository}, "tag": {tag}}, nil, nil)
}

// History is GET /images/{name}/history, the newest step first.
func (c *Client) History(ctx context.Context, name string) (steps []HistoryStep, err error) {
	return steps, c.get(ctx, "GET", "/images/"+imagePath(name)+"/history", nil, nil, &steps)
}

// PruneImages is POST /images/prune.
func (c *Client) PruneImages(ctx context.Context, filters Filters) (gone PrunedImages, err error) {
	q := url.Values{}
	filters.add(q)
	return gone, c.get(ctx, "POST", "/images/prune", q, nil, &gone)
}

// imagePath escapes a name as a path whose slashes stay: the API's routes take /images/hull/tiny/json as it stands.
func imagePath(name string) string { return strings.ReplaceAll(url.PathEscape(name), "%2F", "/") }

// Load sends an archive of images (docker save's form, or an OCI layout) to POST /images/load, and hands each line of the daemon's
// report to say.
func (c *Client) Load(ctx context.Context, archive io.Reader, say func(line string)) error {
	resp, err := c.answered(ctx, request{
		method: "POST", target: c.target("/images/load", url.Values{"quiet": {"1"}}),
		kind: "application/x-tar", body: archive, length: -1,
	})
	if err != nil {
		return err
	}
	defer resp.Close()
	return reports(resp.body, "POST /images/load", func(r Report) {
		if r.Stream != "" {
			say(strings.TrimRight(r.Stream, "\n"))
		}
	})
}

// DaemonVersion is GET /version.
func (c *Client) DaemonVersion(ctx context.Context) (v Version, err error) {
	return v, c.get(ctx, "GET", "/version", nil, nil, &v)
}
