package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// errLeft: the lecturer pressed q.
var errLeft = errors.New("left")

// A screen shows pictures: again and again in place on a terminal, one after the other elsewhere.
type screen struct {
	in    *os.File
	out   io.Writer
	keys  chan byte // nil without a terminal
	saved *term.State
	file  *os.File // of --record
	began time.Time
	act   int
}

// refresh is how often a live picture is drawn anew.
const refresh = 200 * time.Millisecond

// A frame is one picture of a recording: one JSON document a line.
type frame struct {
	At   int64  // milliseconds since the beginning
	Act  int    // which act it belongs to; the first is 1
	Text string // the picture
}

func openScreen(in *os.File, out io.Writer, record string) (*screen, error) {
	s := &screen{in: in, out: out, began: time.Now()}
	if record != "" {
		f, err := os.OpenFile(record, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			return nil, err
		}
		s.file = f
	}
	if f, ok := out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) || !term.IsTerminal(int(in.Fd())) {
		return s, nil
	}
	var err error
	if s.saved, err = term.MakeRaw(int(in.Fd())); err != nil { // termios(3): a key counts without Enter
		return nil, fmt.Errorf("terminal: %w", err)
	}
	fmt.Fprint(out, "\x1b[?1049h\x1b[?25l") // the terminal's other page, without a cursor
	s.keys = make(chan byte)
	go func() {
		b := make([]byte, 1)
		for {
			if n, err := in.Read(b); n == 0 || err != nil {
				close(s.keys)
				return
			}
			s.keys <- b[0]
		}
	}()
	return s, nil
}

func (s *screen) close() {
	if s.saved != nil {
		fmt.Fprint(s.out, "\x1b[?25h\x1b[?1049l")
		term.Restore(int(s.in.Fd()), s.saved)
	}
	if s.file != nil {
		s.file.Close()
	}
}

// show draws one picture.
func (s *screen) show(text string) {
	if s.file != nil {
		line, _ := json.Marshal(frame{time.Since(s.began).Milliseconds(), s.act, text}) // strings and numbers always marshal
		s.file.Write(append(line, '\n'))
	}
	if s.keys == nil {
		fmt.Fprintln(s.out, text)
		return
	}
	s.draw(text)
}

// draw puts a picture in place of the last: raw mode wants a carriage return, and each line's rest is erased.
func (s *screen) draw(text string) {
	fmt.Fprint(s.out, "\x1b[H"+strings.ReplaceAll(text, "\n", "\x1b[K\r\n")+"\x1b[K\x1b[J")
}

// hold shows picture live until the lecturer goes on. Without a terminal it shows it once.
func (s *screen) hold(ctx context.Context, picture func() string) error {
	if s.keys == nil {
		s.show(picture())
		return ctx.Err()
	}
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		s.show(picture())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case key, ok := <-s.keys:
			switch {
			case !ok, key == 'q', key == 3: // ^C is a key in raw mode
				return errLeft
			case key == ' ', key == '\r':
				return nil
			}
		}
	}
}

// replay shows a recording: each act's pictures in their own time, and the next act at the next key. Without a terminal it prints each act's
// last picture.
func (s *screen) replay(ctx context.Context, name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var acts [][]frame
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var f frame
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil || f.Act < 0 || f.Act > 100 {
			return fmt.Errorf("%s is no recording of hull demo: %v", name, err)
		}
		if len(acts) == 0 || acts[len(acts)-1][0].Act != f.Act {
			acts = append(acts, nil)
		}
		acts[len(acts)-1] = append(acts[len(acts)-1], f)
	}
	if len(acts) == 0 {
		return fmt.Errorf("%s: no pictures in it", name)
	}
	for _, frames := range acts {
		began := time.Now()
		err := s.hold(ctx, func() string {
			now := time.Since(began).Milliseconds() + frames[0].At
			picture := frames[0].Text
			for _, f := range frames {
				if f.At <= now || s.keys == nil {
					picture = f.Text
				}
			}
			return picture
		})
		if err != nil {
			return err
		}
	}
	return nil
}
