package engine

import (
	"context"
	"strconv"
	"time"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// PruneOptions select among the containers that do not run.
type PruneOptions struct {
	Until  time.Time // made before this moment; zero for all
	Labels func(map[string]string) bool
}

// Prune removes the containers that do not run, and tells how many bytes they had written.
func (e *Engine) Prune(ctx context.Context, o PruneOptions) (container.PruneReport, error) {
	report := container.PruneReport{ContainersDeleted: []string{}}
	for _, c := range e.registry.all() {
		rec := c.Record()
		if c.active() || !o.Until.IsZero() && rec.Created.After(o.Until) || !o.Labels(rec.Config.Labels) {
			continue
		}
		used, err := e.ctd.SnapshotUsage(ctx, c.ID)
		if err != nil && stages.KindOf(err) != stages.NotFound {
			return report, err
		}
		err = e.Remove(ctx, c.ID, false)
		switch kind := stages.KindOf(err); {
		case err == nil:
			report.ContainersDeleted = append(report.ContainersDeleted, c.ID)
			report.SpaceReclaimed += uint64(used)
		case kind == stages.NotFound || kind == stages.Conflict: // somebody else was faster, or has started it
		default:
			return report, err
		}
	}
	e.events.publish(events.Message{
		Type: events.ContainerEventType, Action: events.ActionPrune,
		Actor: events.Actor{Attributes: map[string]string{"reclaimed": strconv.FormatUint(report.SpaceReclaimed, 10)}},
	})
	return report, nil
}
