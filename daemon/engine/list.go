package engine

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hull/daemon/image"
	"hull/daemon/store"
	"hull/stages"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/container"
)

// ListOptions select containers. Filters are docker's: each name's values are alternatives, different names must all hold.
type ListOptions struct {
	All     bool
	Size    bool
	Limit   int
	Filters map[string][]string
}

// List is docker ps: running containers, or all, newest first.
func (e *Engine) List(ctx context.Context, o ListOptions) ([]container.Summary, error) {
	match, err := e.matcher(ctx, o.Filters)
	if err != nil {
		return nil, err
	}
	all := o.All || o.Limit > 0 || len(o.Filters["status"]) > 0 || len(o.Filters["exited"]) > 0
	list := []container.Summary{}
	for _, c := range e.registry.all() {
		rec := c.Record()
		if !all && rec.State.Status != container.StateRunning || !match(rec) {
			continue
		}
		s, err := e.summarize(rec)
		if err != nil {
			return nil, err
		}
		if o.Size {
			if s.SizeRw, err = e.ctd.SnapshotUsage(ctx, rec.ID); err != nil && stages.KindOf(err) != stages.NotFound {
				return nil, err
			}
		}
		if list = append(list, s); o.Limit > 0 && len(list) == o.Limit {
			break
		}
	}
	return list, nil
}

func (e *Engine) summarize(rec store.Record) (container.Summary, error) {
	mounts, err := e.points(&rec)
	s := container.Summary{
		ID: rec.ID, Names: []string{"/" + rec.Name}, Image: rec.Image, ImageID: rec.ImageID, Command: command(rec), Created: rec.Created.Unix(),
		Ports: portSummary(rec), Labels: rec.Config.Labels, State: rec.State.Status, Status: statusText(rec.State),
		Mounts: mounts, NetworkSettings: &container.NetworkSettingsSummary{Networks: networksOf(rec)},
	}
	s.HostConfig.NetworkMode = string(rec.HostConfig.NetworkMode)
	return s, err
}

// command is the program and its arguments on one line, those with spaces quoted.
func command(rec store.Record) string {
	words := []string{rec.Path}
	for _, a := range rec.Args {
		if strings.Contains(a, " ") {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

func statusText(s store.State) string {
	switch s.Status {
	case container.StateRunning:
		return "Up " + units.HumanDuration(time.Since(s.StartedAt))
	case container.StateExited:
		return fmt.Sprintf("Exited (%d) %s ago", s.ExitCode, units.HumanDuration(time.Since(s.FinishedAt)))
	case container.StateDead:
		return "Dead"
	}
	return "Created"
}

// matcher turns filters into one condition. A filter that is not known is an error: a list that ignores one would be wrong.
func (e *Engine) matcher(ctx context.Context, filters map[string][]string) (func(store.Record) bool, error) {
	conditions := []func(store.Record) bool{}
	for name, values := range filters {
		var tests []func(store.Record) bool
		for _, v := range values {
			test, err := e.filter(ctx, name, v)
			if err != nil {
				return nil, err
			}
			tests = append(tests, test)
		}
		any := func(r store.Record) bool {
			return slices.ContainsFunc(tests, func(t func(store.Record) bool) bool { return t(r) })
		}
		if name == "label" { // several labels must all be there
			any = func(r store.Record) bool {
				return !slices.ContainsFunc(tests, func(t func(store.Record) bool) bool { return !t(r) })
			}
		}
		conditions = append(conditions, any)
	}
	return func(r store.Record) bool {
		return !slices.ContainsFunc(conditions, func(c func(store.Record) bool) bool { return !c(r) })
	}, nil
}

func (e *Engine) filter(ctx context.Context, name, value string) (func(store.Record) bool, error) {
	switch name {
	case "id":
		return func(r store.Record) bool { return strings.HasPrefix(r.ID, value) }, nil
	case "name":
		re, err := regexp.Compile(value)
		if err != nil {
			return nil, failure(stages.Invalid, "invalid filter 'name=%s': %v", value, err)
		}
		return func(r store.Record) bool { return re.MatchString(r.Name) || re.MatchString("/"+r.Name) }, nil
	case "label":
		key, want, exact := strings.Cut(value, "=")
		return func(r store.Record) bool { got, ok := r.Config.Labels[key]; return ok && (!exact || got == want) }, nil
	case "status":
		if err := container.ValidateContainerState(container.ContainerState(value)); err != nil {
			return nil, failure(stages.Invalid, "invalid filter 'status=%s'", value)
		}
		return func(r store.Record) bool { return string(r.State.Status) == value }, nil
	case "exited":
		code, err := strconv.Atoi(value)
		if err != nil {
			return nil, failure(stages.Invalid, "invalid filter 'exited=%s'", value)
		}
		return func(r store.Record) bool { return r.State.Status == container.StateExited && r.State.ExitCode == code }, nil
	case "ancestor":
		id, full := "", ""
		if img, err := e.images.Find(ctx, value); err == nil {
			id = img.ID.String()
		}
		full, _ = image.Normalize(value)
		return func(r store.Record) bool {
			name, _ := image.Normalize(r.Image)
			return r.ImageID == id || name == full && full != ""
		}, nil
	case "network":
		return func(r store.Record) bool { return string(r.HostConfig.NetworkMode) == value }, nil
	case "before", "since":
		c, err := e.registry.find(value)
		if err != nil {
			return nil, err
		}
		at := c.Record().Created
		return func(r store.Record) bool {
			if name == "before" {
				return r.Created.Before(at)
			}
			return r.Created.After(at)
		}, nil
	}
	return nil, failure(stages.Invalid, "invalid filter '%s'", name)
}
