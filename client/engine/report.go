package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"hull/stages"
)

// A Report is one line of the daemon's answer to a long call: definition jsonstream.Message.
type Report struct {
	ID       string `json:"id"`     // of the layer that Status is about; empty for the whole
	Status   string `json:"status"` // a word or a sentence
	Stream   string `json:"stream"` // text as it is
	Progress *struct {
		Current, Total int64 // bytes
	} `json:"progressDetail"`
	Error *struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
}

// reports hands each line of an answer to say. One with an error ends it, although the status was 200 long ago.
func reports(body io.Reader, what string, say func(Report)) error {
	for dec := json.NewDecoder(body); ; {
		var line Report
		switch err := dec.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return &stages.Error{Kind: stages.Internal, Thing: what, Err: fmt.Errorf("unreadable answer: %w", err)}
		case line.Error != nil && line.Error.Message != "":
			return &ReportError{line.Error.Message}
		}
		say(line)
	}
}

// A ReportError is the daemon's error after it had begun to answer. docker's client prints it as it stands.
type ReportError struct{ Message string }

func (e *ReportError) Error() string { return e.Message }
