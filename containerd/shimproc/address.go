package shimproc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	bootstrap "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"google.golang.org/protobuf/proto"

	"hull/containerd/bundle"
)

// An Address is where a shim serves: what `start` answered, and the bundle's bootstrap.json.
type Address struct {
	Version  int    `json:"version"`  // of the task service; 2 is what we speak
	Address  string `json:"address"`  // unix:///PATH
	Protocol string `json:"protocol"` // ttrpc
}

// parse reads the answer of `start` in its three historical forms: a protobuf BootstrapResult (containerd 2.3), JSON (1.7), or the bare
// address (1.6 and before).
func parse(answer []byte) (a Address, err error) {
	text := bytes.TrimSpace(answer)
	switch {
	case len(text) == 0:
		return a, errors.New("it answered nothing")
	case text[0] == '{':
		if err := json.Unmarshal(text, &a); err != nil {
			return a, fmt.Errorf("its answer is no address: %w", err)
		}
	case bytes.Contains(text, []byte("://")) && utf8.Valid(text) && text[0] >= ' ':
		a = Address{Version: 2, Address: string(text), Protocol: "ttrpc"}
	default:
		var r bootstrap.BootstrapResult
		if err := proto.Unmarshal(answer, &r); err != nil {
			return a, fmt.Errorf("its answer is no address: %.100q", answer)
		}
		a = Address{Version: int(r.GetVersion()), Address: r.GetAddress(), Protocol: r.GetProtocol()}
	}
	return a, a.check()
}

func (a Address) check() error {
	if a.Version != 2 {
		return fmt.Errorf("it speaks version %d of the shim's protocol; hull-containerd speaks 2", a.Version)
	}
	if a.Protocol != "ttrpc" && a.Protocol != "" {
		return fmt.Errorf("it speaks %q; hull-containerd speaks ttrpc", a.Protocol)
	}
	if _, err := a.path(); err != nil {
		return err
	}
	return nil
}

// path is the socket's path. Abstract sockets (unix://@…) are refused: any process in the host's network namespace could reach one,
// containers with --network host included (CVE-2020-15257).
func (a Address) path() (string, error) {
	path, ok := strings.CutPrefix(a.Address, "unix://")
	if !ok || !filepath.IsAbs(path) || strings.IndexByte(path, 0) >= 0 {
		return "", fmt.Errorf("its address is not unix:///PATH: %.100q", a.Address)
	}
	return path, nil
}

// Save puts the address into the bundle, so that the next hull-containerd finds the shim.
func (a Address) Save(b *bundle.Bundle) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return b.Write("bootstrap.json", string(text))
}

// Load finds the address of a bundle's shim: what Save wrote, or, if we died before that, what the shim itself left (docs/seams.md,
// section 3; containerd's shims leave the same file).
func Load(b *bundle.Bundle) (Address, error) {
	for _, name := range []string{"bootstrap.json", "address"} {
		if text := b.Read(name); text != "" {
			return parse([]byte(text))
		}
	}
	return Address{}, errors.New("the bundle names no shim")
}
