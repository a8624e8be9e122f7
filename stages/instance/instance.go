// Package instance knows where the files of one running hull are: every socket, record and directory, and nothing builds such a path
// anywhere else. An instance is one root directory (hull up --root DIR, or HULL_ROOT); without one it is /run/hull and /var/lib/hull.
//
// What is below Run dies with the machine; what is below Lib survives a power cut. Sockets are 0600 in 0700 directories.
package instance

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// EnvRoot names the environment variable that holds the root directory.
const EnvRoot = "HULL_ROOT"

// An Instance is the layout of one root directory. It is a value; making one touches no file.
type Instance struct {
	Root string // as given, absolute; "" for the system's own instance
	Run  string // sockets, pids, bundles, states
	Lib  string // images, snapshots, containers, traces
}

// At is the layout below root. With root "" it is $HULL_ROOT's, and without that the system's own (/run/hull, /var/lib/hull).
func At(root string) (Instance, error) {
	if root == "" {
		root = os.Getenv(EnvRoot)
	}
	if root == "" {
		return Instance{Run: "/run/hull", Lib: "/var/lib/hull"}, nil
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return Instance{}, err
	}
	return Instance{Root: abs, Run: filepath.Join(abs, "run"), Lib: filepath.Join(abs, "lib")}, nil
}

// Hash is eight hex digits that tell this instance from any other on the machine; kernel objects (cgroups, links, nft tables) carry it.
func (i Instance) Hash() string {
	sum := sha256.Sum256([]byte(i.Run))
	return hex.EncodeToString(sum[:4])
}

// Sockets.
func (i Instance) APISocket() string        { return filepath.Join(i.Run, "hull.sock") }             // Engine API, HTTP
func (i Instance) ContainerdSocket() string { return filepath.Join(i.Run, "containerd.sock") }       // containerd's gRPC
func (i Instance) ContainerdTTRPC() string  { return filepath.Join(i.Run, "containerd.sock.ttrpc") } // shims' events
func (i Instance) TraceSocket() string      { return filepath.Join(i.Run, "trace.sock") }            // hull-trace, HTTP
func (i Instance) SpanSocket() string       { return filepath.Join(i.Run, "spans.sock") }            // finished spans, SOCK_SEQPACKET
func (i Instance) GateSocket() string       { return filepath.Join(i.Run, "gates.sock") }            // the stage debugger's, SOCK_SEQPACKET
func (i Instance) ShimSockets() string      { return filepath.Join(i.Run, "s") }                     // one socket per shim

// Directories and files of the long-lived binaries.
func (i Instance) PIDFile(binary string) string { return filepath.Join(i.Run, binary+".pid") }
func (i Instance) LogFile(binary string) string { return filepath.Join(i.Lib, binary+".log") }
func (i Instance) Tasks() string                { return filepath.Join(i.Run, "tasks") }        // bundles: NAMESPACE/ID
func (i Instance) RuncRoot() string             { return filepath.Join(i.Run, "runc") }         // the runtime's --root
func (i Instance) Streams() string              { return filepath.Join(i.Run, "io") }           // FIFOs and attach sockets: ID/
func (i Instance) RunContainers() string        { return filepath.Join(i.Run, "containers") }   // records of --rm containers: ID/
func (i Instance) LibContainers() string        { return filepath.Join(i.Lib, "containers") }   // records of the others, and logs: ID/
func (i Instance) ContainerdLib() string        { return filepath.Join(i.Lib, "containerd") }   // content, snapshots, metadata
func (i Instance) Traces() string               { return filepath.Join(i.Lib, "traces") }       // one file per trace
func (i Instance) NetNamespaces() string        { return filepath.Join(i.Run, "netns") }        // links to containers' network namespaces: ID
func (i Instance) NetworkState() string         { return filepath.Join(i.Run, "network.json") } // what the bridge's host was like before
func (i Instance) CgroupParent() string         { return "/hull-" + i.Hash() }                  // below each hierarchy's root
