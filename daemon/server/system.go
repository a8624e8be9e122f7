package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"hull/stages"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/api/types/system"
	"golang.org/x/sys/unix"
)

func (s *Server) systemRoutes(handle registrar) {
	handle("GET /_ping", s.ping) // HEAD as well
	handle("GET /version", s.getVersion)
	handle("GET /info", s.info)
	handle("GET /events", s.events)
}

func (s *Server) ping(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Builder-Version", "")
	h.Set("Swarm", "inactive")
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Pragma", "no-cache")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if r.Method != http.MethodHead {
		h.Set("Content-Length", "2")
		w.Write([]byte("OK"))
	}
	return nil
}

func (s *Server) getVersion(w http.ResponseWriter, _ *http.Request) error {
	v := system.VersionResponse{
		Platform: system.PlatformInfo{Name: "hull"}, Version: s.version.Hull, APIVersion: apiVersion, MinAPIVersion: minAPIVersion,
		Os: "linux", Arch: runtime.GOARCH, GoVersion: runtime.Version(), KernelVersion: kernelRelease(),
	}
	v.Components = []system.ComponentVersion{
		{Name: "Engine", Version: v.Version, Details: map[string]string{
			"ApiVersion": v.APIVersion, "MinAPIVersion": v.MinAPIVersion, "Os": v.Os, "Arch": v.Arch, "GoVersion": v.GoVersion,
			"KernelVersion": v.KernelVersion, "Experimental": "false",
		}},
		{Name: "containerd", Version: s.version.Containerd},
	}
	return writeJSON(w, http.StatusOK, v)
}

func (s *Server) info(w http.ResponseWriter, r *http.Request) error {
	images, err := s.engine.Images().List(r.Context())
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	var mem unix.Sysinfo_t
	unix.Sysinfo(&mem)
	all, running, stopped := s.engine.Counts()
	rt := s.engine.Runtime().Name
	return writeJSON(w, http.StatusOK, system.Info{
		ID: "hull-" + s.inst.Hash(), Containers: all, ContainersRunning: running, ContainersStopped: stopped, Images: len(images),
		Driver: "overlayfs", DriverStatus: [][2]string{{"driver-type", "io.containerd.snapshotter.v1"}},
		Plugins:     system.PluginsInfo{Volume: []string{}, Network: []string{"host", "none"}, Log: []string{"json-file"}},
		MemoryLimit: true, CPUCfsPeriod: true, CPUCfsQuota: true, PidsLimit: true, Debug: s.debug, NFd: openFiles(), NGoroutines: runtime.NumGoroutine(),
		SystemTime: time.Now().Format(time.RFC3339Nano), LoggingDriver: "json-file", CgroupDriver: "cgroupfs", CgroupVersion: cgroupVersion(),
		NEventsListener: s.engine.Events().Listeners(), KernelVersion: kernelRelease(), OperatingSystem: osName(), OSType: "linux",
		Architecture: machine(), NCPU: runtime.NumCPU(), MemTotal: int64(mem.Totalram) * int64(mem.Unit), DockerRootDir: s.inst.Lib, Name: host,
		Labels: []string{}, ServerVersion: s.version.Hull, Runtimes: map[string]system.RuntimeWithStatus{rt: {}}, DefaultRuntime: rt,
		Swarm: swarm.Info{LocalNodeState: swarm.LocalNodeStateInactive}, LiveRestoreEnabled: true,
		SecurityOptions: []string{"name=seccomp,profile=builtin", "name=cgroupns"}, Warnings: []string{},
		Containerd: &system.ContainerdInfo{Address: s.inst.ContainerdSocket(), Namespaces: system.ContainerdNamespaces{Containers: "hull"}},
	})
}

// events streams what happens, one JSON object a line, until the client leaves or the asked-for time is over.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	filters, err := filtersParam(r)
	if err != nil {
		return err
	}
	since, err := timeParam(r, "since")
	if err != nil {
		return err
	}
	until, err := timeParam(r, "until")
	if err != nil {
		return err
	}
	match, err := eventFilter(filters)
	if err != nil {
		return err
	}
	recent, coming, stop := s.engine.Events().Listen()
	defer stop()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	http.NewResponseController(w).Flush()
	out := json.NewEncoder(w)
	send := func(m events.Message) error {
		if !match(m) {
			return nil
		}
		if err := out.Encode(eventBody(m)); err != nil {
			return err
		}
		return http.NewResponseController(w).Flush()
	}
	if past := !until.IsZero() && until.Before(time.Now()); past || !since.IsZero() { // what has been, docker shows whole
		for _, m := range recent {
			if at := time.Unix(0, m.TimeNano); at.Before(since) || !until.IsZero() && at.After(until) {
				continue
			}
			if send(m) != nil {
				return nil
			}
		}
	}
	var limit <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		limit = t.C
	}
	for {
		select {
		case m, ok := <-coming:
			if !ok || send(m) != nil {
				return nil
			}
		case <-limit:
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
}

// eventFilter knows the filters that clients use; the others are refused, because a stream that ignores one shows too much.
func eventFilter(filters map[string][]string) (func(events.Message) bool, error) {
	for name := range filters {
		if !slices.Contains([]string{"type", "event", "container", "image", "label"}, name) {
			return nil, failure(stages.Invalid, "invalid filter '%s'", name)
		}
	}
	is := func(name, value string) bool { return len(filters[name]) == 0 || slices.Contains(filters[name], value) }
	return func(m events.Message) bool {
		if !is("type", string(m.Type)) || !is("event", string(m.Action)) {
			return false
		}
		if want := filters["container"]; len(want) > 0 {
			named := slices.ContainsFunc(want, func(v string) bool {
				return m.Actor.Attributes["name"] == v || strings.HasPrefix(m.Actor.ID, v)
			})
			if m.Type != events.ContainerEventType || !named {
				return false
			}
		}
		if want := filters["image"]; len(want) > 0 && !slices.ContainsFunc(want, func(v string) bool { return isImage(m, v) }) {
			return false
		}
		return hasLabels(m.Actor.Attributes, filters["label"])
	}, nil
}

// isImage reports whether an event is of the image, or of a container made from it, with or without a tag.
func isImage(m events.Message, name string) bool {
	of := []string{m.Actor.ID, m.Actor.Attributes["image"]}
	if m.Type == events.ImageEventType {
		of = append(of, m.Actor.Attributes["name"])
	}
	return slices.ContainsFunc(of, func(s string) bool {
		bare, _, _ := strings.Cut(s[strings.LastIndexByte(s, '/')+1:], ":")
		return s == name || bare != "" && s[:strings.LastIndexByte(s, '/')+1]+bare == name
	})
}

// eventBody adds the fields that events had before they had an actor; older clients read nothing else.
func eventBody(m events.Message) any {
	old := struct {
		Status string `json:"status,omitempty"`
		ID     string `json:"id,omitempty"`
		From   string `json:"from,omitempty"`
		events.Message
	}{Message: m}
	switch m.Type {
	case events.ContainerEventType:
		old.Status, old.ID, old.From = string(m.Action), m.Actor.ID, m.Actor.Attributes["image"]
	case events.ImageEventType:
		old.Status, old.ID = string(m.Action), m.Actor.ID
	}
	return old
}

// timeParam reads a time as docker's client sends it: seconds since 1970, with or without a fraction; or RFC 3339.
func timeParam(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" || text == "0" {
		return time.Time{}, nil
	}
	if t, err := moment(text, time.Now()); err == nil {
		return t, nil
	}
	return time.Time{}, failure(stages.Invalid, "invalid value for %q: failed to parse value as time: %s", name, text)
}

// moment reads what a filter or a client writes for a moment: seconds since 1970, with or without a fraction; a duration back from now; a date
// with or without time and zone.
func moment(text string, now time.Time) (time.Time, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err == nil && len(fraction) <= 9 {
		if nano, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64); err == nil {
			return time.Unix(sec, nano), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02Z07:00", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("failed to parse value as time or duration: %q", text)
}

func uname() (release, machine string) {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "", ""
	}
	return unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:])
}

func kernelRelease() string { release, _ := uname(); return release }
func machine() string       { _, m := uname(); return m }

// osName is PRETTY_NAME of os-release(5).
func osName() string {
	text, _ := os.ReadFile("/etc/os-release")
	for _, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return "Linux"
}

// cgroupVersion is 2 only where the whole tree is: hybrid machines count as 1 to docker's clients.
func cgroupVersion() string {
	var st unix.Statfs_t
	if unix.Statfs("/sys/fs/cgroup", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
		return "2"
	}
	return "1"
}

func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}
