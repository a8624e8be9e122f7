package ttrpc

import (
	"context"
	"errors"

	"hull/shim/wire"
	"hull/stages"
)

// The codes of gRPC's list that this package gives or looks at (google.golang.org/grpc/codes).
const (
	Canceled          = 1
	Unknown           = 2
	InvalidArgument   = 3
	DeadlineExceeded  = 4
	ResourceExhausted = 8
	Unimplemented     = 12
	Unavailable       = 14
)

// A Status is a call's failure as the other side reported it, or as it is to be reported.
type Status struct {
	Code    int32
	Message string
}

func (s *Status) Error() string { return s.Message }

// statusOf is what is answered for an error of a method's: a Status as it is, any other under its kind's code.
func statusOf(err error) *wire.CallStatus {
	var s *Status
	switch {
	case errors.As(err, &s):
		return &wire.CallStatus{Code: s.Code, Message: s.Message}
	case errors.Is(err, context.DeadlineExceeded):
		return &wire.CallStatus{Code: DeadlineExceeded, Message: err.Error()}
	case errors.Is(err, context.Canceled):
		return &wire.CallStatus{Code: Canceled, Message: err.Error()}
	}
	return &wire.CallStatus{Code: int32(stages.KindOf(err).GRPC()), Message: err.Error()}
}
