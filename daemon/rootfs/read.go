package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Read opens a regular file; links are followed inside the root. Anything else is only looked at, never opened: the container may have put a
// device node in the file's place, and opening some devices does something already.
func (r *Root) Read(name string) (io.ReadCloser, error) {
	fail := func(err error) (io.ReadCloser, error) { return nil, &fs.PathError{Op: "open", Path: name, Err: err} }
	fd, err := r.open(name, unix.O_PATH)
	if err != nil {
		return fail(err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fail(err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return fail(errors.New("not a regular file"))
	}
	f, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd)) // the same file, whatever its name leads to by now
	if err != nil {
		return fail(errors.Unwrap(err))
	}
	return f, nil
}
