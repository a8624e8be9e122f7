package container

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"hull/runc/cgroup"
	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// An Event is one line of `events`, in the form of runc's.
type Event struct {
	Type string        `json:"type"` // "stats" or "oom"
	ID   string        `json:"id"`
	Data *cgroup.Stats `json:"data,omitempty"`
}

// Stats reads the container's counters once.
func Stats(root, id string) (Event, error) {
	s, err := Find(root, id)
	if err == nil && s.Status() == specs.StateStopped {
		err = s.isNotRunning()
	}
	if err != nil {
		return Event{}, err
	}
	return s.stats()
}

func (s *State) stats() (Event, error) {
	stats, err := s.Cgroup.Stats()
	return Event{Type: "stats", ID: s.ID, Data: stats}, err
}

func (s *State) isNotRunning() error {
	return &stages.Error{Kind: stages.Conflict, Thing: "container " + strconv.Quote(s.ID), Err: errors.New("container is not running")}
}

// Events tells the counters at each interval and each shortage of memory at once, until the container's first process has ended.
func Events(root, id string, interval time.Duration, tell func(Event) error) error {
	s, err := Find(root, id)
	if err != nil {
		return err
	}
	pidfd, err := s.pidfd()
	if err != nil {
		return s.isNotRunning()
	}
	defer unix.Close(pidfd)
	oom, err := s.Cgroup.WatchOOM()
	if err != nil {
		return err
	}
	defer oom.Close()
	next := time.Now().Add(interval)
	for {
		fds := []unix.PollFd{{Fd: int32(oom.FD), Events: unix.POLLIN}, {Fd: int32(pidfd), Events: unix.POLLIN}}
		left := max(time.Until(next), 0)
		if _, err := linux.Retry(func() (int, error) { return unix.Poll(fds, int(left.Milliseconds())+1) }); err != nil {
			return fmt.Errorf("poll: %w", err)
		}
		n, err := oom.Count()
		for ; err == nil && n > 0; n-- {
			err = tell(Event{Type: "oom", ID: id})
		}
		if err != nil || fds[1].Revents != 0 {
			return err
		}
		if time.Now().Before(next) {
			continue
		}
		next = time.Now().Add(interval)
		e, err := s.stats()
		if stages.KindOf(err) == stages.Unsupported { // it has been deleted: the end comes next
			continue
		}
		if err == nil {
			err = tell(e)
		}
		if err != nil {
			return err
		}
	}
}
