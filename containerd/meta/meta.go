// Package meta keeps hull-containerd's records: which images, containers, snapshots, leases and namespaces there are.
//
// There are two bbolt files. LIB/containerd/metadata.db is durable: a change is on the disk (fdatasync) before it is acknowledged.
// RUN/containerd.db is never synced: it survives the death of any process, because what was written is in the page cache, and it dies with
// the machine, as the containers in it do. A record carrying the label hull.rm=true goes to the second, so that a container which is
// removed at its exit costs no fsync; every other record goes to the first.
//
// The server's services and the snapshotter call it. A record is bytes under (namespace, kind, key); [Table] gives the bytes a type. No
// transaction spans two records: whoever needs that holds a lock of its own and writes the record that makes things valid last.
package meta

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"hull/stages"
)

// LabelVolatile marks, with the value "true", a container or snapshot that need not survive a power cut.
const LabelVolatile = "hull.rm"

// Volatile reports whether labels ask for a record that is not synced.
func Volatile(labels map[string]string) bool { return labels[LabelVolatile] == "true" }

// MaxKey bounds names and keys; bbolt itself would allow 32 KiB.
const MaxKey = 4096

// MaxRecord bounds one record: a container with its spec has some 30 KiB.
const MaxRecord = 8 << 20

// A DB is the two files. Its methods are safe for concurrent use.
type DB struct {
	lib, run *bbolt.DB
}

// Open opens or makes the two files. A file that another process has open is an error after one second.
func Open(lib, run string) (*DB, error) {
	durable, err := open(lib, false)
	if err != nil {
		return nil, err
	}
	volatile, err := open(run, true)
	if err != nil {
		durable.Close()
		return nil, err
	}
	return &DB{lib: durable, run: volatile}, nil
}

func open(path string, noSync bool) (*bbolt.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, NoSync: noSync, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, &stages.Error{Kind: stages.Unavailable, Thing: path, Err: err, Hint: "is another hull-containerd using this root?"}
	}
	return db, nil
}

// Close closes both files.
func (d *DB) Close() error { return errors.Join(d.lib.Close(), d.run.Close()) }

// both lists the files in the order in which they are asked: the fast path's first.
func (d *DB) both() []*bbolt.DB { return []*bbolt.DB{d.run, d.lib} }

func (d *DB) file(volatile bool) *bbolt.DB {
	if volatile {
		return d.run
	}
	return d.lib
}

// bucket finds the bucket of (namespace, kind); nil if there is none.
func bucket(tx *bbolt.Tx, namespace, kind string) *bbolt.Bucket {
	if b := tx.Bucket([]byte(namespace)); b != nil {
		return b.Bucket([]byte(kind))
	}
	return nil
}

// get returns a copy of the record and the file it is in; nil, nil if there is none.
func (d *DB) get(namespace, kind, key string) (value []byte, where *bbolt.DB, err error) {
	for _, f := range d.both() {
		err := f.View(func(tx *bbolt.Tx) error {
			if b := bucket(tx, namespace, kind); b != nil {
				value = bytes.Clone(b.Get([]byte(key)))
			}
			return nil
		})
		if err != nil || value != nil {
			return value, f, err
		}
	}
	return nil, nil, nil
}

// put writes the record to one file. With create set an existing record there is errExists.
func put(f *bbolt.DB, namespace, kind, key string, value []byte, create bool) error {
	if key == "" || len(key) > MaxKey {
		return &stages.Error{Kind: stages.Invalid, Thing: kind, Err: fmt.Errorf("a name has 1 to %d bytes, this one %d", MaxKey, len(key))}
	}
	if len(value) > MaxRecord {
		return &stages.Error{Kind: stages.Invalid, Thing: kind + " " + key, Err: fmt.Errorf("the record has %d bytes, at most %d are kept", len(value), MaxRecord)}
	}
	return f.Update(func(tx *bbolt.Tx) error {
		ns, err := tx.CreateBucketIfNotExists([]byte(namespace))
		if err != nil {
			return err
		}
		b, err := ns.CreateBucketIfNotExists([]byte(kind))
		if err != nil {
			return err
		}
		if create && b.Get([]byte(key)) != nil {
			return errExists
		}
		return b.Put([]byte(key), value)
	})
}

var errExists = errors.New("exists already")

// remove deletes the record from one file.
func remove(f *bbolt.DB, namespace, kind, key string) error {
	return f.Update(func(tx *bbolt.Tx) error {
		if b := bucket(tx, namespace, kind); b != nil {
			return b.Delete([]byte(key))
		}
		return nil
	})
}

// each calls fn for every record of a kind, in the order of the keys within each file. The bytes are valid only during the call.
func (d *DB) each(namespace, kind string, fn func(key string, value []byte) error) error {
	for _, f := range d.both() {
		err := f.View(func(tx *bbolt.Tx) error {
			b := bucket(tx, namespace, kind)
			if b == nil {
				return nil
			}
			return b.ForEach(func(k, v []byte) error { return fn(string(k), v) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Namespaces lists the namespaces that have a record of any kind, the empty ones included that were made by name.
func (d *DB) Namespaces() ([]string, error) {
	seen := map[string]bool{}
	var names []string
	for _, f := range d.both() {
		err := f.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
				if !seen[string(name)] {
					seen[string(name)] = true
					names = append(names, string(name))
				}
				return nil
			})
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// RemoveNamespace forgets a namespace. One that still has records other than those of the kinds in ignore is a Conflict that names one.
func (d *DB) RemoveNamespace(namespace string, ignore ...string) error {
	skip := map[string]bool{}
	for _, kind := range ignore {
		skip[kind] = true
	}
	found := false
	for _, f := range d.both() {
		err := f.Update(func(tx *bbolt.Tx) error {
			ns := tx.Bucket([]byte(namespace))
			if ns == nil {
				return nil
			}
			found = true
			err := ns.ForEachBucket(func(kind []byte) error {
				if k, _ := ns.Bucket(kind).Cursor().First(); k != nil && !skip[string(kind)] {
					return &stages.Error{
						Kind: stages.Conflict, Thing: "namespace " + namespace,
						Err: fmt.Errorf("it is not empty: it still has %s %s", kind, k), Hint: "remove that first",
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			return tx.DeleteBucket([]byte(namespace))
		})
		if err != nil {
			return err
		}
	}
	if !found {
		return &stages.Error{Kind: stages.NotFound, Thing: "namespace " + namespace, Err: errors.New("not found")}
	}
	return nil
}
