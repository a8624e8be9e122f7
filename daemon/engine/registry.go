package engine

import (
	"math/rand/v2"
	"regexp"
	"sort"
	"strings"
	"sync"

	"hull/stages"
)

// registry finds containers by id, name or the beginning of an id, and keeps names unique.
type registry struct {
	mu     sync.Mutex
	byID   map[string]*Container
	byName map[string]string // name: id; a name is taken before its container exists
}

func newRegistry() *registry {
	return &registry{byID: map[string]*Container{}, byName: map[string]string{}}
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`) // docker's rule

// reserve takes a name for an id; with an empty name, a generated one.
func (r *registry) reserve(name, id string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == "" {
		for try := 0; name == "" || r.byName[name] != ""; try++ {
			name = adjectives[rand.IntN(len(adjectives))] + "_" + surnames[rand.IntN(len(surnames))]
			if try > 20 {
				name += "_" + id[:8]
			}
		}
	}
	name = strings.TrimPrefix(name, "/")
	if !validName.MatchString(name) || len(name) > 255 {
		return "", failure(stages.Invalid, "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name)
	}
	if owner := r.byName[name]; owner != "" {
		return "", failure(stages.Conflict, "Conflict. The container name %q is already in use by container %q. You have to remove (or rename) that container to be able to reuse that name.", "/"+name, owner)
	}
	r.byName[name] = id
	return name, nil
}

// release gives a name back, if it is still the id's.
func (r *registry) release(name, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byName[name] == id {
		delete(r.byName, name)
	}
}

// add makes a container known; its name must be reserved or come from its record.
func (r *registry) add(c *Container) {
	name := c.Record().Name
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byID[c.ID] = c
	r.byName[name] = c.ID
}

func (r *registry) remove(c *Container) {
	name := c.Record().Name
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byID, c.ID)
	if r.byName[name] == c.ID {
		delete(r.byName, name)
	}
}

// find looks for a full id, then a name, then a unique beginning of an id.
func (r *registry) find(ref string) (*Container, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.byID[ref]; c != nil {
		return c, nil
	}
	if c := r.byID[r.byName[strings.TrimPrefix(ref, "/")]]; c != nil {
		return c, nil
	}
	var match *Container
	for id, c := range r.byID {
		if ref != "" && strings.HasPrefix(id, ref) {
			if match != nil {
				return nil, failure(stages.Invalid, "multiple IDs found with provided prefix: %s", ref)
			}
			match = c
		}
	}
	if match == nil {
		return nil, failure(stages.NotFound, "No such container: %s", ref)
	}
	return match, nil
}

// all lists the containers, newest first.
func (r *registry) all() []*Container {
	r.mu.Lock()
	list := make([]*Container, 0, len(r.byID))
	for _, c := range r.byID {
		list = append(list, c)
	}
	r.mu.Unlock()
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i].Record(), list[j].Record()
		if !a.Created.Equal(b.Created) {
			return a.Created.After(b.Created)
		}
		return a.ID < b.ID
	})
	return list
}

// Generated names: what a hull can be, and who taught us about containers, kernels and seeing what machines do.
var (
	adjectives = []string{
		"afloat", "bright", "buoyant", "calm", "clear", "deep", "eager", "fair", "glassy", "keen", "level", "lucid", "open", "patient", "plain",
		"quick", "quiet", "ready", "seaworthy", "sheer", "steady", "sturdy", "sunny", "swift", "tidy", "trim", "true", "upright", "vivid", "watchful",
	}
	surnames = []string{
		"allen", "babbage", "bartik", "biederman", "borg", "cantrill", "conway", "corbato", "dijkstra", "gregg", "hamilton", "hopper", "johnson", "kamp",
		"kerrisk", "knuth", "lamport", "liskov", "lovelace", "mcilroy", "menage", "perlman", "pike", "ritchie", "saltzer", "shannon", "thompson", "torvalds", "turing", "viro",
	}
)
