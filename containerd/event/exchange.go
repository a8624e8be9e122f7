// Package event passes events on: from shims (Forward) and from hull-containerd itself (Publish) to whoever subscribed.
//
// The order in which events come in is the order in which each subscriber gets them. A publisher never waits for a subscriber: each has
// a queue, and one that lets it fill up is cut off with an error, so that a loss is never silent; it subscribes again and asks for the
// state. An event nobody subscribed to is gone: who was away asks Tasks/Get.
package event

import (
	"errors"
	"fmt"
	"sync"
	"time"

	apitypes "github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/pkg/filters"
	"github.com/containerd/containerd/v2/pkg/identifiers"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/stages"
)

// queueLength is how many events may wait for one subscriber. A container's life has about six.
const queueLength = 8192

// maxFilters bounds one subscription's filters.
const maxFilters = 256

// An Exchange is the meeting point. The zero Exchange is ready.
type Exchange struct {
	mu   sync.Mutex
	subs map[*Subscription]struct{}
}

// A Subscription is one subscriber's queue. C is closed when the subscriber was too slow; Cancel ends it without closing C.
type Subscription struct {
	C      chan *apitypes.Envelope
	filter filters.Filter
	x      *Exchange
}

// ErrSlow is what a subscriber gets whose queue was full.
var ErrSlow = &stages.Error{
	Kind: stages.Exhausted, Thing: "event subscription", Err: fmt.Errorf("%d events were not read", queueLength),
	Hint: "subscribe again and ask for the state",
}

// Publish sends an event of hull-containerd's own.
func (x *Exchange) Publish(namespace, topic string, ev proto.Message) error {
	body, err := typeurl.MarshalAnyToProto(ev)
	if err != nil {
		return err
	}
	return x.Forward(&apitypes.Envelope{Timestamp: timestamppb.New(time.Now()), Namespace: namespace, Topic: topic, Event: body})
}

// Forward passes a ready envelope on. It is refused (Invalid) if it does not say what it is, so that no subscriber has to check.
func (x *Exchange) Forward(env *apitypes.Envelope) error {
	if err := check(env); err != nil {
		return &stages.Error{Kind: stages.Invalid, Thing: "event", Err: err}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for s := range x.subs {
		if !s.filter.Match(fields{env}) {
			continue
		}
		select {
		case s.C <- env:
		default:
			delete(x.subs, s)
			close(s.C)
		}
	}
	return nil
}

func check(env *apitypes.Envelope) error {
	switch {
	case env == nil || env.Event == nil:
		return errors.New("it has no body")
	case env.Timestamp == nil:
		return errors.New("it has no timestamp")
	case len(env.Topic) < 2 || env.Topic[0] != '/' || len(env.Topic) > 256:
		return fmt.Errorf("topic %q: it must begin with / and have at most 256 bytes", env.Topic)
	case len(env.Event.Value) > 1<<20:
		return fmt.Errorf("its body has %d bytes, more than 1 MiB", len(env.Event.Value))
	}
	if err := identifiers.Validate(env.Namespace); err != nil {
		return fmt.Errorf("namespace: %w", err)
	}
	return nil
}

// Subscribe begins a subscription: every event from now on that matches one of the filters (containerd's filter language; none match
// all). Call Cancel at the end.
func (x *Exchange) Subscribe(expressions []string) (*Subscription, error) {
	if len(expressions) > maxFilters {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "filters", Err: fmt.Errorf("there are %d, at most %d are taken", len(expressions), maxFilters)}
	}
	filter, err := filters.ParseAll(expressions...)
	if err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "filter", Err: err}
	}
	s := &Subscription{C: make(chan *apitypes.Envelope, queueLength), filter: filter, x: x}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.subs == nil {
		x.subs = map[*Subscription]struct{}{}
	}
	x.subs[s] = struct{}{}
	return s, nil
}

// Cancel ends the subscription.
func (s *Subscription) Cancel() {
	s.x.mu.Lock()
	defer s.x.mu.Unlock()
	delete(s.x.subs, s)
}

// fields is an envelope as the filter language sees it: namespace, topic, event.FIELD.
type fields struct{ *apitypes.Envelope }

func (f fields) Field(path []string) (string, bool) {
	if len(path) == 0 {
		return "", false
	}
	switch path[0] {
	case "namespace":
		return f.Namespace, f.Namespace != ""
	case "topic":
		return f.Topic, f.Topic != ""
	case "event":
		body, err := typeurl.UnmarshalAny(f.Event)
		if err != nil {
			return "", false
		}
		if a, ok := body.(filters.Adaptor); ok {
			return a.Field(path[1:])
		}
	}
	return "", false
}
