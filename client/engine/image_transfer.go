package engine

import (
	"context"
	"io"
	"net/url"
)

// PullImage is POST /images/create: repository, and its tag or digest. platform may be empty.
func (c *Client) PullImage(ctx context.Context, repository, tag, platform string, say func(Report)) error {
	q := url.Values{"fromImage": {repository}, "tag": {tag}}
	if platform != "" {
		q.Set("platform", platform)
	}
	resp, err := c.call(ctx, "POST", "/images/create", q, nil)
	if err != nil {
		return err
	}
	defer resp.Close()
	return reports(resp.body, "POST /images/create", say)
}

// PushImage is POST /images/{name}/push; an empty tag means all tags of the repository.
func (c *Client) PushImage(ctx context.Context, repository, tag string, say func(Report)) error {
	q := url.Values{}
	if tag != "" {
		q.Set("tag", tag)
	}
	path := "/images/" + imagePath(repository) + "/push"
	resp, err := c.answered(ctx, request{method: "POST", target: c.target(path, q), header: nobody})
	if err != nil {
		return err
	}
	defer resp.Close()
	return reports(resp.body, "POST "+path, say)
}

// nobody is the login that is sent where the API wants one and there is none: {} in base64.
const nobody = "X-Registry-Auth: e30="

// ImportImage is POST /images/create with the archive of a root file system as body. name may be empty.
func (c *Client) ImportImage(ctx context.Context, archive io.Reader, name, tag, message string, changes []string, say func(Report)) error {
	q := url.Values{"fromSrc": {"-"}}
	for key, value := range map[string]string{"repo": name, "tag": tag, "message": message} {
		if value != "" {
			q.Set(key, value)
		}
	}
	if len(changes) > 0 {
		q["changes"] = changes
	}
	resp, err := c.answered(ctx, request{
		method: "POST", target: c.target("/images/create", q), kind: "application/x-tar", body: archive, length: -1,
	})
	if err != nil {
		return err
	}
	defer resp.Close()
	return reports(resp.body, "POST /images/create", say)
}

// SaveImages is GET /images/get: the images in one archive, which the caller reads to its end and closes.
func (c *Client) SaveImages(ctx context.Context, names []string) (io.ReadCloser, error) {
	return c.archive(ctx, "/images/get", url.Values{"names": names})
}

// archive is an answer that is a tar. One that is cut off ends in an error of its reader.
func (c *Client) archive(ctx context.Context, path string, q url.Values) (io.ReadCloser, error) {
	resp, err := c.call(ctx, "GET", path, q, nil)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{resp.body, resp}, nil
}

// answered sends a request and returns its answer, or the daemon's error.
func (c *Client) answered(ctx context.Context, req request) (*response, error) {
	resp, err := c.send(ctx, req)
	if err != nil {
		return nil, err
	}
	if resp.status >= 400 {
		defer resp.Close()
		return nil, apiError(resp)
	}
	return resp, nil
}
