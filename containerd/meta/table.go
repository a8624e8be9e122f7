package meta

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	"hull/stages"
)

// A Table is the records of one kind. Encode and Decode are inverse.
type Table[T any] struct {
	DB     *DB
	Kind   string // the singular noun that errors use: "image"
	Encode func(T) ([]byte, error)
	Decode func([]byte) (T, error)

	mu sync.Mutex // makes create, update and delete, each a look and a write, one step
}

// JSON is a table whose records are JSON documents.
func JSON[T any](db *DB, kind string) *Table[T] {
	return &Table[T]{
		DB: db, Kind: kind,
		Encode: func(v T) ([]byte, error) { return json.Marshal(v) },
		Decode: func(b []byte) (v T, err error) { return v, json.Unmarshal(b, &v) },
	}
}

// Proto is a table whose records are protobuf messages. M is the message's struct, P the pointer to it that implements proto.Message.
func Proto[M any, P interface {
	*M
	proto.Message
}](db *DB, kind string) *Table[P] {
	return &Table[P]{
		DB: db, Kind: kind,
		Encode: func(v P) ([]byte, error) { return proto.Marshal(v) },
		Decode: func(b []byte) (P, error) { v := P(new(M)); return v, proto.Unmarshal(b, v) },
	}
}

func (t *Table[T]) failed(kind stages.Kind, key string, err error) error {
	return &stages.Error{Kind: kind, Thing: fmt.Sprintf("%s %q", t.Kind, key), Err: err}
}

// Get returns the record; a missing one is NotFound.
func (t *Table[T]) Get(namespace, key string) (v T, err error) {
	value, _, err := t.DB.get(namespace, t.Kind, key)
	if err != nil {
		return v, err
	}
	if value == nil {
		return v, t.failed(stages.NotFound, key, errors.New("not found"))
	}
	return t.decode(key, value)
}

func (t *Table[T]) decode(key string, value []byte) (T, error) {
	v, err := t.Decode(value)
	if err != nil {
		return v, t.failed(stages.Internal, key, fmt.Errorf("its record cannot be read: %w", err))
	}
	return v, nil
}

// List returns the records that match keeps (all, with a nil one), in the order of their keys.
func (t *Table[T]) List(namespace string, keep func(T) bool) (all []T, err error) {
	err = t.DB.each(namespace, t.Kind, func(key string, value []byte) error {
		v, err := t.decode(key, value)
		if err == nil && (keep == nil || keep(v)) {
			all = append(all, v)
		}
		return err
	})
	return all, err
}

// Create writes a new record; an existing one under the key is a Conflict. A volatile record is not synced (see the package).
func (t *Table[T]) Create(namespace, key string, v T, volatile bool) error {
	value, err := t.Encode(v)
	if err != nil {
		return t.failed(stages.Invalid, key, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old, _, err := t.DB.get(namespace, t.Kind, key)
	if err != nil {
		return err
	}
	if old == nil {
		err = put(t.DB.file(volatile), namespace, t.Kind, key, value, true)
	}
	if old != nil || errors.Is(err, errExists) {
		return t.failed(stages.Conflict, key, errExists)
	}
	return err
}

// Update changes an existing record in the file where it is. change returns the new record, or an error to leave the old one.
func (t *Table[T]) Update(namespace, key string, change func(T) (T, error)) (v T, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, file, err := t.DB.get(namespace, t.Kind, key)
	if err != nil {
		return v, err
	}
	if old == nil {
		return v, t.failed(stages.NotFound, key, errors.New("not found"))
	}
	if v, err = t.decode(key, old); err != nil {
		return v, err
	}
	if v, err = change(v); err != nil {
		return v, err
	}
	value, err := t.Encode(v)
	if err != nil {
		return v, t.failed(stages.Invalid, key, err)
	}
	return v, put(file, namespace, t.Kind, key, value, false)
}

// Set writes a record whether there is one or not.
func (t *Table[T]) Set(namespace, key string, v T, volatile bool) error {
	value, err := t.Encode(v)
	if err != nil {
		return t.failed(stages.Invalid, key, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return put(t.DB.file(volatile), namespace, t.Kind, key, value, false)
}

// Delete removes the record and returns what it held; a missing one is NotFound.
func (t *Table[T]) Delete(namespace, key string) (v T, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, file, err := t.DB.get(namespace, t.Kind, key)
	if err != nil {
		return v, err
	}
	if old == nil {
		return v, t.failed(stages.NotFound, key, errors.New("not found"))
	}
	if v, err = t.decode(key, old); err != nil {
		return v, err
	}
	return v, remove(file, namespace, t.Kind, key)
}
