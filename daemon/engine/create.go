package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"hull/daemon/containerd"
	"hull/daemon/image"
	"hull/daemon/layers"
	"hull/daemon/network"
	"hull/daemon/spec"
	"hull/daemon/store"
	"hull/stages"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A CreateRequest is the payload of POST /containers/create, and who sent it.
type CreateRequest struct {
	container.CreateRequest
	Name      string
	Platform  string // "", or os/architecture
	ClientPID int    // by the socket's peer credentials
}

// Create makes a container: everything about it is decided and recorded, and no process exists. After an error nothing of it is left.
func (e *Engine) Create(ctx context.Context, req CreateRequest) (resp container.CreateResponse, err error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	if req.Config == nil {
		return resp, failure(stages.Invalid, "config cannot be empty in order to create a container")
	}
	if req.HostConfig == nil {
		req.HostConfig = &container.HostConfig{}
	}
	spec.NormalizeNetwork(req.HostConfig, req.NetworkingConfig)
	if err := spec.Check(req.Config, req.HostConfig, req.NetworkingConfig); err != nil {
		return resp, err
	}
	spec.Adapt(req.HostConfig)
	if err := e.runtime.check(req.HostConfig); err != nil {
		return resp, err
	}
	if err := e.nameJoins(&req); err != nil {
		return resp, err
	}
	ctx, trace := e.traceFor(ctx, req)
	defer func() {
		if err != nil && trace.owned {
			e.endTrace(trace.id)
		}
	}()

	ctx, sp := span.Start(ctx, stages.DaemonCreate)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return resp, err
	}
	if req.Platform != "" && !strings.HasPrefix(req.Platform, "linux/"+runtime.GOARCH) && req.Platform != "linux" {
		return resp, failure(stages.NotFound, "platform %s is not this machine's: linux/%s", req.Platform, runtime.GOARCH)
	}
	img, err := e.resolve(ctx, req.Config.Image)
	if err != nil {
		return resp, err
	}
	if err := spec.Merge(req.Config, &img.Config.Config); err != nil {
		return resp, err
	}
	id := newID()
	name, err := e.registry.reserve(req.Name, id)
	if err != nil {
		return resp, err
	}
	place, err := e.decideNetwork(ctx, req, id)
	if err != nil {
		e.registry.release(name, id)
		return resp, err
	}
	rec := newRecord(req, id, name, img)
	rec.Network = place
	if parent := trace.parent; parent.Valid() {
		rec.TraceParent = parent.String()
	} else if at := span.Current(ctx); at.Valid() { // a trace of our own has no client to be its root: this step is
		rec.TraceParent, rec.TraceOwned = at.String(), trace.owned
	}
	sp.Set(stages.AttrContainer, id)
	warnings, err := e.build(ctx, rec, img)
	if err != nil {
		e.discard(ctx, rec)
		return resp, err
	}
	e.registry.add(newContainer(rec))
	e.events.container(events.ActionCreate, *rec)
	if span.Current(ctx).Gated() {
		go e.abandoned(context.WithoutCancel(ctx), id)
	}
	if trace.owned {
		logError("hull-trace: container", id, e.tracing.hull.Container(ctx, trace.id, id))
	}
	warnings = append(warnings, spec.Warnings(rec.Config, &img.Config.Config)...)
	return container.CreateResponse{ID: id, Warnings: append([]string{}, warnings...)}, nil
}

func (e *Engine) resolve(ctx context.Context, ref string) (img *image.Image, err error) {
	ctx, sp := span.Start(ctx, stages.DaemonImageResolve)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return img, err
	}
	if ref == "" {
		return nil, failure(stages.Invalid, "no image specified")
	}
	img, err = e.images.Find(ctx, ref)
	if stages.KindOf(err) == stages.NotFound {
		return e.images.Shipped(ctx, ref)
	}
	return img, err
}

// newRecord decides what the user left open.
func newRecord(req CreateRequest, id, name string, img *image.Image) *store.Record {
	c := req.Config
	if c.Hostname == "" {
		c.Hostname = id[:12]
		if req.HostConfig.NetworkMode.IsHost() || req.HostConfig.UTSMode.IsHost() {
			if host, err := os.Hostname(); err == nil {
				c.Hostname = host
			}
		}
	}
	req.HostConfig.LogConfig.Type = "json-file"
	args := append(append([]string{}, c.Entrypoint...), c.Cmd...)
	rec := &store.Record{
		ID: id, Name: name, Created: time.Now().UTC(), Image: c.Image, ImageID: img.ID.String(), Config: c, HostConfig: req.HostConfig,
		State: store.State{Status: container.StateCreated},
	}
	if len(args) > 0 {
		rec.Path, rec.Args = args[0], args[1:]
	}
	return rec
}

// build makes the writable layer, the spec and the two records: containerd's and ours. Ours is last: what has one is whole. The warnings
// say what the user does not get in full.
func (e *Engine) build(ctx context.Context, rec *store.Record, img *image.Image) (warnings []string, err error) {
	mounts, err := e.ctd.PrepareSnapshot(ctx, rec.ID, img.ChainID(), rec.AutoRemove())
	if err != nil {
		return nil, err
	}
	stack, err := layers.Open(mounts)
	if err != nil {
		return nil, &stages.Error{Step: stages.DaemonSpec, Thing: rec.ID, Err: err, Hint: "containerd must be on this machine"}
	}
	defer stack.Close()
	files, err := e.writeFiles(rec)
	if err != nil {
		return nil, err
	}
	s, warnings, err := e.makeSpec(ctx, rec, files, stack)
	if err != nil {
		return nil, err
	}
	if err := e.fillVolumes(rec, stack); err != nil {
		return nil, err
	}
	if err := spec.MakeSources(rec.Config, rec.HostConfig); err != nil {
		return nil, err
	}
	err = e.ctd.CreateContainer(ctx, containerd.Container{
		ID: rec.ID, Image: rec.Image, Runtime: e.runtime.Name, Instance: e.inst.Hash(), Spec: s, Volatile: rec.AutoRemove(),
	})
	if err != nil {
		return nil, err
	}
	return warnings, e.record(ctx, rec)
}

// record writes our own record of the container: from here on a crash of ours does not lose it.
func (e *Engine) record(ctx context.Context, rec *store.Record) (err error) {
	_, sp := span.Start(ctx, stages.DaemonContainerCreate)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	sp.Set(stages.AttrContainer, rec.ID)
	return e.store.Save(rec)
}

func (e *Engine) makeSpec(ctx context.Context, rec *store.Record, files spec.Files, image *layers.Stack) (s *specs.Spec, warnings []string, err error) {
	_, sp := span.Start(ctx, stages.DaemonSpec)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return nil, nil, err
	}
	user, err := spec.ResolveUser(rec.Config.User, rec.HostConfig.GroupAdd, image.Read)
	if err != nil {
		return nil, nil, err
	}
	return spec.Build(spec.Input{
		ID: rec.ID, Config: rec.Config, HostConfig: rec.HostConfig, CgroupParent: e.inst.CgroupParent(), Files: files, User: user, Network: e.netnsPath(rec),
	})
}

// writeFiles makes the files that every container finds in its /etc whatever its image holds.
func (e *Engine) writeFiles(rec *store.Record) (f spec.Files, err error) {
	dir := e.store.Dir(rec)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return f, err
	}
	f = spec.Files{
		Hostname: filepath.Join(dir, "hostname"), Hosts: filepath.Join(dir, "hosts"), ResolvConf: filepath.Join(dir, "resolv.conf"),
		Shm: e.shm(rec), Init: e.runtime.Init,
	}
	if f.Volumes, err = e.volumes(rec); err != nil {
		return f, err
	}
	h := rec.HostConfig
	hosts, resolv := network.Hosts("", "", netip.Addr{}, h.ExtraHosts), spec.ResolvConf("", h)
	switch mode := h.NetworkMode; {
	case mode.IsHost():
		hosts, resolv = spec.Hosts(readOr("/etc/hosts", ""), h.ExtraHosts), spec.ResolvConf(readOr("/etc/resolv.conf", ""), h)
	case rec.Network != nil:
		hosts = network.Hosts(rec.Config.Hostname, rec.Config.Domainname, rec.Network.Address.Addr(), h.ExtraHosts)
		resolv = spec.ResolvConf(network.ResolvConf(), h)
	case mode.IsContainer(): // the network's names belong to the network
		shared, err := e.filesOf(mode.ConnectedContainer())
		f.Hostname, f.Hosts, f.ResolvConf = shared.Hostname, shared.Hosts, shared.ResolvConf
		return f, err
	}
	for path, text := range map[string]string{f.Hostname: rec.Config.Hostname + "\n", f.Hosts: hosts, f.ResolvConf: resolv} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { // 0644: any user of the container reads them
			return f, err
		}
	}
	return f, nil
}

// filesOf are another container's files.
func (e *Engine) filesOf(id string) (f spec.Files, err error) {
	other, err := e.registry.find(id)
	if err != nil {
		return f, err
	}
	rec := other.Record()
	if mode := rec.HostConfig.NetworkMode; mode.IsContainer() {
		return e.filesOf(mode.ConnectedContainer())
	}
	dir := e.store.Dir(&rec)
	return spec.Files{Hostname: filepath.Join(dir, "hostname"), Hosts: filepath.Join(dir, "hosts"), ResolvConf: filepath.Join(dir, "resolv.conf")}, nil
}

func readOr(path, or string) string {
	if text, err := os.ReadFile(path); err == nil {
		return string(text)
	}
	return or
}

// discard takes back what a failed create has made.
func (e *Engine) discard(ctx context.Context, rec *store.Record) {
	logError("create: undo: container", rec.ID, e.ctd.DeleteContainer(ctx, rec.ID))
	logError("create: undo: snapshot", rec.ID, e.ctd.RemoveSnapshot(ctx, rec.ID))
	logError("create: undo: record", rec.ID, e.store.Delete(rec))
	e.net.Release(rec.ID, false)
	e.registry.release(rec.Name, rec.ID)
}

// newID is 64 hex digits. One whose first twelve are all decimal would be a number to some programs when used as a hostname.
func newID() string {
	for {
		var b [32]byte
		rand.Read(b[:])
		id := hex.EncodeToString(b[:])
		if strings.ContainsAny(id[:12], "abcdef") {
			return id
		}
	}
}
