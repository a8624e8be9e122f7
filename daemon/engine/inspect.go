package engine

import (
	"context"
	"path/filepath"
	"time"

	"hull/daemon/image"
	"hull/daemon/store"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/storage"
)

// Inspect tells everything about a container in docker's form.
func (e *Engine) Inspect(ctx context.Context, ref string, size bool) (*Inspection, error) {
	c, err := e.registry.find(ref)
	if err != nil {
		return nil, err
	}
	rec := c.Record()
	dir := e.store.Dir(&rec)
	mounts, err := e.points(&rec)
	if err != nil {
		return nil, err
	}
	r := &container.InspectResponse{
		ID: rec.ID, Created: rec.Created.Format(time.RFC3339Nano), Path: rec.Path, Args: append([]string{}, rec.Args...),
		State: stateOf(rec), Image: rec.ImageID, Name: "/" + rec.Name, Driver: "overlayfs", Platform: "linux", RestartCount: rec.RestartCount,
		ResolvConfPath: filepath.Join(dir, "resolv.conf"), HostnamePath: filepath.Join(dir, "hostname"), HostsPath: filepath.Join(dir, "hosts"),
		LogPath: e.store.Log(rec.ID), HostConfig: rec.HostConfig, Config: rec.Config, Mounts: mounts,
		GraphDriver: &storage.DriverData{Name: "overlayfs"},
	}
	for _, x := range e.execs.all(rec.ID) {
		if !x.over() {
			r.ExecIDs = append(r.ExecIDs, x.ID)
		}
	}
	if size {
		used, whole, err := e.sizes(ctx, &rec)
		if err != nil {
			return nil, err
		}
		r.SizeRw, r.SizeRootFs = &used, &whole
	}
	return &Inspection{r, e.networkSettings(rec)}, nil
}

// sizes are how many bytes the container has written, and how many its whole root filesystem has.
func (e *Engine) sizes(ctx context.Context, rec *store.Record) (used, whole int64, err error) {
	if used, err = e.ctd.SnapshotUsage(ctx, rec.ID); err != nil {
		return 0, 0, err
	}
	whole = used
	if img, err := e.images.Find(ctx, rec.ImageID); err == nil { // an image may have been removed by force
		whole += img.Size
	}
	return used, whole, nil
}

func stateOf(rec store.Record) *container.State {
	s := rec.State
	return &container.State{
		Status: s.Shown(), Paused: s.Paused, Running: s.Status == container.StateRunning || s.Status == container.StateRestarting, Restarting: s.Status == container.StateRestarting,
		Dead: s.Status == container.StateDead, OOMKilled: s.OOMKilled,
		Pid: s.PID, ExitCode: s.ExitCode, Error: s.Error, StartedAt: s.StartedAt.Format(time.RFC3339Nano), FinishedAt: s.FinishedAt.Format(time.RFC3339Nano),
	}
}

func networksOf(rec store.Record) map[string]*network.EndpointSettings {
	mode := rec.HostConfig.NetworkMode
	if mode.IsContainer() {
		return map[string]*network.EndpointSettings{}
	}
	return map[string]*network.EndpointSettings{string(mode): endpointOf(rec)}
}

// Counts is how many containers there are, for info.
func (e *Engine) Counts() (all, running, stopped int) {
	for _, c := range e.registry.all() {
		all++
		if c.active() {
			running++
		} else {
			stopped++
		}
	}
	return all, running, stopped
}

// UsersOf lists the containers made from an image.
func (e *Engine) UsersOf(imageID string) (users []image.User) {
	for _, c := range e.registry.all() {
		if rec := c.Record(); rec.ImageID == imageID {
			users = append(users, image.User{ID: c.ID, Running: rec.State.Status != container.StateCreated && rec.State.Status != container.StateExited && rec.State.Status != container.StateDead})
		}
	}
	return users
}
