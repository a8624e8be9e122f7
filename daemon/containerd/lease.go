package containerd

import (
	"context"
	"log/slog"
	"time"

	"hull/stages"

	"github.com/containerd/containerd/api/services/leases/v1"
)

type leaseKey struct{}

const (
	labelExpire = "containerd.io/gc.expire" // containerd collects the lease by itself after this moment
	labelPull   = "hull.pull"               // the reference whose pull made the lease
	leaseLife   = 24 * time.Hour            // a daemon that dies leaves its leases to expire
)

// WithLease keeps what is written under the returned context from being collected until done is called. With sync, done waits until what
// nothing refers to has been collected: after a failure nothing half-made is left.
func (c *Client) WithLease(ctx context.Context) (leased context.Context, done func(sync bool), err error) {
	id, err := c.lease(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	return context.WithValue(ctx, leaseKey{}, id), func(sync bool) { c.endLease(ctx, id, sync) }, nil
}

// WithPullLease is WithLease for a pull, which can go on after it broke off: done with keep leaves the lease to expire, without it ends this
// one and those that earlier pulls of the same reference have left.
func (c *Client) WithPullLease(ctx context.Context, ref string) (leased context.Context, done func(keep bool), err error) {
	left, err := c.pullLeases(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	id, err := c.lease(ctx, map[string]string{labelPull: ref})
	if err != nil {
		return nil, nil, err
	}
	return context.WithValue(ctx, leaseKey{}, id), func(keep bool) {
		if keep {
			return
		}
		for _, old := range left {
			c.endLease(ctx, old, false)
		}
		c.endLease(ctx, id, true)
	}, nil
}

func (c *Client) pullLeases(ctx context.Context, ref string) (ids []string, err error) {
	r, err := c.leases.List(ctx, &leases.ListRequest{})
	if err != nil {
		return nil, c.wrap(stages.None, "leases", err)
	}
	for _, l := range r.Leases {
		if l.Labels[labelPull] == ref {
			ids = append(ids, l.ID)
		}
	}
	return ids, nil
}

func (c *Client) lease(ctx context.Context, labels map[string]string) (id string, err error) {
	all := map[string]string{labelExpire: time.Now().Add(leaseLife).UTC().Format(time.RFC3339), labelVolatile: "true"}
	for k, v := range labels {
		all[k] = v
	}
	id = "hull-" + randomID()
	_, err = c.leases.Create(ctx, &leases.CreateRequest{ID: id, Labels: all})
	return id, c.wrap(stages.None, "lease", err)
}

func (c *Client) endLease(ctx context.Context, id string, sync bool) {
	if _, err := c.leases.Delete(context.WithoutCancel(ctx), &leases.DeleteRequest{ID: id, Sync: sync}); err != nil {
		slog.Warn("a lease was not ended; it expires by itself", "lease", id, "error", c.wrap(stages.None, id, err).Error())
	}
}
