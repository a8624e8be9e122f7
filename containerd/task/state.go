package task

import (
	"fmt"

	apitask "github.com/containerd/containerd/api/types/task"

	"hull/stages"
)

// A State is where a process is in its life.
type State uint8

const (
	Absent   State = iota
	Creating       // bundle and shim are being made; the name is taken
	Created        // the process waits to be started
	Running
	Paused
	Stopped // it has exited; its status is kept until Delete
)

var stateNames = [...]string{"absent", "being created", "created", "running", "paused", "stopped"}

func (s State) String() string { return stateNames[s] }

// Wire is the state as containerd's API writes it.
func (s State) Wire() apitask.Status {
	return [...]apitask.Status{
		apitask.Status_UNKNOWN, apitask.Status_UNKNOWN, apitask.Status_CREATED, apitask.Status_RUNNING, apitask.Status_PAUSED, apitask.Status_STOPPED,
	}[s]
}

// fromWire is the inverse, for what a shim says of itself.
func fromWire(s apitask.Status) State {
	switch s {
	case apitask.Status_CREATED:
		return Created
	case apitask.Status_RUNNING:
		return Running
	case apitask.Status_PAUSED, apitask.Status_PAUSING:
		return Paused
	case apitask.Status_STOPPED:
		return Stopped
	}
	return Absent
}

// A Change is something that happened to a process.
type Change uint8

const (
	Begin   Change = iota // somebody asked for a task of this name
	Made                  // the shim has made the process
	Failed                // it could not
	Start                 // the user's program runs
	Pause                 // the freezer holds it
	Resume                // and lets it go
	End                   // it is dead and reaped
	Cleared               // Delete: nothing of it is left
)

var changeNames = [...]string{"created", "made", "given up", "started", "paused", "resumed", "exited", "deleted"}

// transitions is the whole life of a process. What is not in it cannot happen, and is refused by name.
var transitions = map[State]map[Change]State{
	Absent:   {Begin: Creating},
	Creating: {Made: Created, Failed: Absent, End: Stopped}, // killed before the shim's answer is here
	Created:  {Start: Running, End: Stopped, Cleared: Absent},
	Running:  {Start: Running, Resume: Running, Pause: Paused, End: Stopped}, // twice: the shim's event and its answer both say so
	Paused:   {Resume: Running, Pause: Paused, End: Stopped},
	Stopped:  {Made: Stopped, Start: Stopped, Cleared: Absent}, // a program may be over before the answer to Start is here
}

// next is the state after a change.
func (s State) next(c Change) (State, error) {
	if to, ok := transitions[s][c]; ok {
		return to, nil
	}
	return s, &stages.Error{Kind: stages.Conflict, Err: fmt.Errorf("it is %s and cannot be %s", s, changeNames[c])}
}
