package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"time"

	"hull/stages"
)

// A PathStat is what a path in a container is: definition ContainerPathStat.
type PathStat struct {
	Name       string      `json:"name"`
	Size       int64       `json:"size"`
	Mode       fs.FileMode `json:"mode"`
	Mtime      time.Time   `json:"mtime"`
	LinkTarget string      `json:"linkTarget"`
}

// StatPath is HEAD /containers/{id}/archive.
func (c *Client) StatPath(ctx context.Context, id, path string) (s PathStat, err error) {
	what := archivePath(id)
	resp, err := c.call(ctx, "HEAD", what, url.Values{"path": {path}}, nil)
	if err != nil {
		return s, err
	}
	defer resp.Close()
	return readStat(resp)
}

func readStat(resp *response) (s PathStat, err error) {
	text, err := base64.StdEncoding.DecodeString(resp.header["x-docker-container-path-stat"])
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, &stages.Error{Kind: stages.Internal, Thing: "X-Docker-Container-Path-Stat", Err: fmt.Errorf("unreadable: %w", err)}
	}
	return s, nil
}

// CopyFrom is GET /containers/{id}/archive: a tar of the path, which the caller reads to its end and closes, and what the path is.
func (c *Client) CopyFrom(ctx context.Context, id, path string) (io.ReadCloser, PathStat, error) {
	resp, err := c.call(ctx, "GET", archivePath(id), url.Values{"path": {path}}, nil)
	if err != nil {
		return nil, PathStat{}, err
	}
	s, err := readStat(resp)
	if err != nil {
		resp.Close()
		return nil, s, err
	}
	return struct {
		io.Reader
		io.Closer
	}{resp.body, resp}, s, nil
}

// CopyTo is PUT /containers/{id}/archive: the tar is unpacked into the directory. With owner everything is the container's user's.
func (c *Client) CopyTo(ctx context.Context, id, dir string, archive io.Reader, owner bool) error {
	q := url.Values{"path": {dir}, "noOverwriteDirNonDir": {"true"}}
	if owner {
		q.Set("copyUIDGID", "true")
	}
	resp, err := c.answered(ctx, request{method: "PUT", target: c.target(archivePath(id), q), kind: "application/x-tar", body: archive, length: -1})
	if err == nil {
		resp.Close()
	}
	return err
}

func archivePath(id string) string { return "/containers/" + url.PathEscape(id) + "/archive" }

// Export is GET /containers/{id}/export: the container's file system as a tar, which the caller reads to its end and closes.
func (c *Client) Export(ctx context.Context, id string) (io.ReadCloser, error) {
	return c.archive(ctx, "/containers/"+url.PathEscape(id)+"/export", nil)
}

// A PathChange is one path that a container changed: Kind 0 changed, 1 added, 2 deleted.
type PathChange struct {
	Path string
	Kind int
}

// Changes is GET /containers/{id}/changes.
func (c *Client) Changes(ctx context.Context, id string) (list []PathChange, err error) {
	return list, c.get(ctx, "GET", "/containers/"+url.PathEscape(id)+"/changes", nil, nil, &list)
}
