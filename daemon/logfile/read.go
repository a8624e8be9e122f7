package logfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// Options select what is read.
type Options struct {
	Tail   int // the last lines only; negative: all
	Since  time.Time
	Until  time.Time
	Follow <-chan struct{} // nil: stop at the end of the file; else go on until it is closed and everything is read
}

// Read hands over the wanted entries in order, and in the end the number of bytes that could not be read as records. emit's error ends it, and so
// does ctx.
func Read(ctx context.Context, path string, o Options, emit func(Entry) error) (damaged int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && o.Follow == nil {
		return 0, nil // nothing has been written yet
	}
	var changes *watch
	if o.Follow != nil {
		if changes, err = watchFile(path); err != nil {
			return 0, err
		}
		defer changes.Close()
		if f == nil {
			f, err = os.Open(path)
		}
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if o.Tail >= 0 {
		start, err := tailStart(f, o.Tail)
		if err != nil {
			return 0, err
		}
		if _, err := f.Seek(start, io.SeekStart); err != nil {
			return 0, err
		}
	}
	lines := bufio.NewReaderSize(f, 64<<10)
	var partial []byte // a record whose end has not been written yet
	for {
		complete := followEnded(o.Follow) // asked before the read: what is written before the end is seen by it
		piece, err := lines.ReadSlice('\n')
		partial = append(partial, piece...)
		switch {
		case err == nil:
			e, ok := parse(partial)
			size := int64(len(partial))
			partial = partial[:0]
			if !ok {
				damaged += size
				continue
			}
			if !o.Until.IsZero() && e.Time.After(o.Until) {
				return damaged, nil
			}
			if e.Time.Before(o.Since) {
				continue
			}
			if err := emit(e); err != nil {
				return damaged, err
			}
		case errors.Is(err, bufio.ErrBufferFull):
			if len(partial) > maxRecord {
				damaged += int64(len(partial))
				partial = partial[:0]
			}
		case err != io.EOF:
			return damaged, err
		case o.Follow == nil || complete:
			return damaged + int64(len(bytes.TrimRight(partial, "\n"))), nil
		default:
			if err := changes.wait(ctx, o.Follow, o.Until); err != nil {
				if errors.Is(err, errUntil) {
					return damaged, nil
				}
				return damaged, err
			}
		}
	}
}

func followEnded(follow <-chan struct{}) bool {
	select {
	case <-follow:
		return true
	default:
		return false
	}
}

// tailStart is the offset at which the last n lines begin. A line that was cut into several records is one.
func tailStart(f *os.File, n int) (int64, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil || n == 0 {
		return end, err
	}
	const block = 64 << 10
	var rest []byte // the beginning of the block behind: the end of a record that starts before it
	start := end
	found := 0
	for off := end; off > 0; {
		size := min(off, block)
		off -= size
		buf := make([]byte, size, int(size)+len(rest))
		if _, err := f.ReadAt(buf, off); err != nil && err != io.EOF {
			return 0, err
		}
		buf = append(buf, rest...)
		for {
			// The record that ends buf begins behind the newline before its own.
			i := bytes.LastIndexByte(bytes.TrimSuffix(buf, []byte("\n")), '\n')
			if i < 0 && off > 0 {
				break // it begins in an earlier block
			}
			e, ok := parse(buf[i+1:])
			if ok && len(e.Log) > 0 && e.Log[len(e.Log)-1] == '\n' || ok && found == 0 {
				if found++; found > n {
					return start, nil
				}
			}
			start = off + int64(i+1)
			buf = buf[:i+1]
			if len(buf) == 0 {
				break
			}
		}
		if len(buf) > maxRecord {
			return start, nil // damaged: what is behind is shown
		}
		rest = buf
	}
	return start, nil
}
