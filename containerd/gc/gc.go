// Package gc decides what can be collected: whatever no root reaches.
//
// It is the rules of containerd's garbage collector (its docs/garbage-collection.md), which clients rely on: they write an image's blobs
// under a lease, label each with what it refers to, and name the top one last. From then on the name alone keeps all of it, and when the
// name goes, so does the rest. The server calls it with what there is, and sweeps what is not reached. Nothing here changes anything.
package gc

import (
	"strings"
	"time"
)

// A Kind is what sort of thing a node is.
type Kind string

// The kinds, called as a lease's list of resources calls them.
const (
	Content  Kind = "content"
	Snapshot Kind = "snapshots/overlayfs"
	Ingest   Kind = "ingests"
	Image    Kind = "images"
)

// A Node is one thing that can be kept or collected.
type Node struct {
	Kind Kind
	Key  string
}

// The labels that mean something here.
const (
	labelRoot   = "containerd.io/gc.root"   // kept, whatever refers to it
	labelExpire = "containerd.io/gc.expire" // kept until then (RFC 3339); a lease or an image is gone after it
	labelFlat   = "containerd.io/gc.flat"   // of a lease: it keeps what it lists, and not what that refers to
	labelRef    = "containerd.io/gc.ref."   // the value is what this refers to
)

// Expiry is when the labels say that a thing ends; the zero time means never. A label that cannot be read says never: nothing is collected
// on the word of a typing error.
func Expiry(labels map[string]string) time.Time {
	at, err := time.Parse(time.RFC3339, labels[labelExpire])
	if err != nil {
		return time.Time{}
	}
	return at
}

// Expired reports whether the labels' expiry is past.
func Expired(labels map[string]string, now time.Time) bool {
	at := Expiry(labels)
	return !at.IsZero() && now.After(at)
}

// Root reports whether labels make a blob or a snapshot a root of its own.
func Root(labels map[string]string, now time.Time) bool {
	if _, ok := labels[labelRoot]; ok {
		return true
	}
	at := Expiry(labels)
	return !at.IsZero() && now.Before(at)
}

// Flat reports whether a lease's labels say that it is flat.
func Flat(labels map[string]string) bool { _, ok := labels[labelFlat]; return ok }

// References is what labels refer to: containerd.io/gc.ref.KIND, followed by whatever tells several of a kind apart.
func References(labels map[string]string) (nodes []Node) {
	for key, value := range labels {
		rest, ok := strings.CutPrefix(key, labelRef)
		if !ok {
			continue
		}
		for prefix, kind := range map[string]Kind{"content": Content, "snapshot.overlayfs": Snapshot, "image": Image} {
			if tail, ok := strings.CutPrefix(rest, prefix); ok && (tail == "" || tail[0] == '.' || tail[0] == '/') {
				nodes = append(nodes, Node{kind, value})
			}
		}
	}
	return nodes
}

// Reached is what the roots reach, themselves included. refs lists what a node refers to; it may name what does not exist.
func Reached(roots []Node, refs func(Node) []Node) map[Node]bool {
	reached := map[Node]bool{}
	for todo := append([]Node{}, roots...); len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !reached[n] {
			reached[n] = true
			todo = append(todo, refs(n)...)
		}
	}
	return reached
}
