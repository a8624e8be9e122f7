package ttrpc

import (
	"context"

	"hull/shim/wire"
)

type metadataKey struct{}

// Metadata is the value that the caller sent under this key beside its request; "" for none. A key is sent in lower case.
func Metadata(ctx context.Context, key string) string {
	pairs, _ := ctx.Value(metadataKey{}).([]*wire.KeyValue)
	for _, p := range pairs {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}
