package cgroup

import (
	"errors"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"hull/stages"
)

// Sub is the group as a process sees it that joins groups below the container's, which exist already: those of places, each "PATH" or
// "CONTROLLER:PATH" (`exec --cgroup`). Controllers that no place names stay where the container is.
func (g *Group) Sub(places []string) (*Group, error) {
	sub := &Group{Members: slices.Clone(g.Members)}
	for _, place := range places {
		refuse := func(kind stages.Kind, err error) (*Group, error) {
			return nil, &stages.Error{Step: stages.RuncExec, Kind: kind, Thing: "--cgroup " + place, Err: err}
		}
		controller, below, one := strings.Cut(place, ":")
		if !one {
			controller, below = "", place
		}
		names, _, err := components(below)
		if err != nil && below != "/" {
			return refuse(stages.Invalid, err)
		}
		found := false
		for i, m := range g.Members {
			if controller != "" && !slices.Contains(strings.Split(m.Controller, ","), controller) {
				continue
			}
			found = true
			dir := path.Join(append([]string{m.Dir}, names...)...)
			f, err := openDir(dir)
			if errors.Is(err, unix.ENOENT) && controller == "" && m.Version == 2 && len(g.Members) > 1 {
				continue // on a hybrid machine whoever made the group may not have made it in the hierarchy without controllers
			}
			if err != nil {
				return refuse(kindOf(err), err)
			}
			f.Close()
			sub.Members[i].Dir = dir
		}
		if !found {
			return refuse(stages.Invalid, errors.New("the container has no such controller"))
		}
	}
	return sub, nil
}
