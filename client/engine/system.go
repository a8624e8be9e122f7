package engine

import (
	"context"
	"encoding/json"
)

// RawVersion is GET /version as the daemon sent it.
func (c *Client) RawVersion(ctx context.Context) (raw json.RawMessage, err error) {
	return raw, c.get(ctx, "GET", "/version", nil, nil, &raw)
}

// RawInfo is GET /info as the daemon sent it.
func (c *Client) RawInfo(ctx context.Context) (raw json.RawMessage, err error) {
	return raw, c.get(ctx, "GET", "/info", nil, nil, &raw)
}
