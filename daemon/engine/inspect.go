package engine

import (
	"context"
	"path/filepath"
	"time"

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
		State: stateOf(rec), Image: rec.ImageID, Name: "/" + rec.Name, Driver: "overlayfs", Platform: "linux",
		ResolvConfPath: filepath.Join(dir, "resolv.conf"), HostnamePath: filepath.Join(dir, "hostname"), HostsPath: filepath.Join(dir, "hosts"),
		LogPath: e.store.Log(rec.ID), HostConfig: rec.HostConfig, Config: rec.Config, Mounts: mounts,
		GraphDriver: &storage.DriverData{Name: "overlayfs"},
	}
	if size {
		used, err := e.ctd.SnapshotUsage(ctx, rec.ID)
		if err != nil {
			return nil, err
		}
		r.SizeRw = &used
	}
	return &Inspection{r, e.networkSettings(rec)}, nil
}

func stateOf(rec store.Record) *container.State {
	s := rec.State
	return &container.State{
		Status: s.Status, Running: s.Status == container.StateRunning, Dead: s.Status == container.StateDead, OOMKilled: s.OOMKilled,
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
		if c.Running() {
			running++
		} else {
			stopped++
		}
	}
	return all, running, stopped
}

// UsersOf lists the containers made from an image.
func (e *Engine) UsersOf(imageID string) (ids []string) {
	for _, c := range e.registry.all() {
		if c.Record().ImageID == imageID {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
