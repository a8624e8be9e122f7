package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
)

func notOffered(what string) error {
	return &stages.Error{Kind: stages.Unsupported, Err: fmt.Errorf("%s: not offered by hull yet", what)}
}

// refused are the parts of the Engine API that hull does not offer: 501 with their name, so that a user sees what is missing. What is in neither
// list does not exist in the API: 404.
var refused = map[string]string{
	"/build": "image build", "/build/{rest...}": "image build", "/session": "BuildKit sessions", "/grpc": "BuildKit",
	"/networks": "networks", "/networks/{rest...}": "networks", "/volumes": "volumes", "/volumes/{rest...}": "volumes",
	"/swarm": "swarm", "/swarm/{rest...}": "swarm", "/nodes": "swarm nodes", "/nodes/{rest...}": "swarm nodes",
	"/services": "services", "/services/{rest...}": "services", "/tasks": "service tasks", "/tasks/{rest...}": "service tasks",
	"/secrets": "secrets", "/secrets/{rest...}": "secrets", "/configs": "configs", "/configs/{rest...}": "configs",
	"/plugins": "plugins", "/plugins/{rest...}": "plugins", "/auth": "registry login", "/distribution/{rest...}": "registries",
	"/exec/{rest...}": "exec", "/commit": "commit", "/system/df": "disk usage", "POST /containers/prune": "container prune",
	"/containers/{id}/exec": "exec", "/containers/{id}/top": "top", "/containers/{id}/stats": "stats", "/containers/{id}/changes": "diff",
	"/containers/{id}/export": "export", "/containers/{id}/restart": "restart", "/containers/{id}/pause": "pause",
	"/containers/{id}/unpause": "unpause", "/containers/{id}/update": "update", "/containers/{id}/archive": "cp",
	"/containers/{id}/attach/ws": "attach over a websocket", "/containers/{id}/checkpoints": "checkpoints",
	"/containers/{id}/checkpoints/{rest...}": "checkpoints",
}

func refusedRoutes(handle registrar) {
	for pattern, what := range refused {
		handle(pattern, func(http.ResponseWriter, *http.Request) error { return notOffered(what) })
	}
}

// refuseUnknown finds fields of a create request that this API's types do not know (an older or newer client's, a misspelling) and that ask
// for something. Decoding has dropped them; ignoring them would be a promise broken silently.
func refuseUnknown(text []byte) error {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(text, &top); err != nil {
		return failure(stages.Invalid, "invalid JSON: %v", err)
	}
	delete(top, "MacAddress") // of clients before API 1.44: oldMAC has read it
	if err := unknownIn("", top, reflect.TypeFor[container.CreateRequest]()); err != nil {
		return err
	}
	for name, raw := range top {
		var host map[string]json.RawMessage
		if strings.EqualFold(name, "HostConfig") && json.Unmarshal(raw, &host) == nil {
			return unknownIn("HostConfig.", host, reflect.TypeFor[container.HostConfig]())
		}
	}
	return nil
}

func unknownIn(prefix string, fields map[string]json.RawMessage, t reflect.Type) error {
	known := map[string]bool{}
	jsonNames(t, known)
	for name, raw := range fields {
		if known[strings.ToLower(name)] {
			continue
		}
		var v any
		if json.Unmarshal(raw, &v) == nil && isEmpty(v) {
			continue
		}
		return &stages.Error{Kind: stages.Unsupported, Err: fmt.Errorf("%s%s is not offered by hull yet", prefix, name), Hint: "leave it out"}
	}
	return nil
}

// jsonNames collects the names under which a structure's fields travel, as encoding/json finds them.
func jsonNames(t reflect.Type, into map[string]bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			jsonNames(f.Type, into)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		into[strings.ToLower(name)] = true
	}
}

func isEmpty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case bool:
		return !x
	case float64:
		return x == 0
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	}
	return false
}
