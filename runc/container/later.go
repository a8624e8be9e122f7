package container

import "encoding/json"

// A later is a part of the state that few verbs need. It stays text until one does: the decoder of a state with the specification's own types
// in it would be built, for all of them, by each start, kill and delete.
type later[T any] struct{ text json.RawMessage }

func keep[T any](v T) (l later[T], err error) {
	l.text, err = json.Marshal(v)
	return l, err
}

// get is what was kept; the zero value if nothing was.
func (l later[T]) get() (v T, err error) {
	if len(l.text) > 0 {
		err = json.Unmarshal(l.text, &v)
	}
	return v, err
}

// MarshalJSON is json.Marshaler: what was kept, as it is.
func (l later[T]) MarshalJSON() ([]byte, error) { return l.text.MarshalJSON() }

// UnmarshalJSON is json.Unmarshaler.
func (l *later[T]) UnmarshalJSON(text []byte) error { return l.text.UnmarshalJSON(text) }
