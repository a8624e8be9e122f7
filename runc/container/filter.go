package container

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"hull/runc/seccomp"

	"golang.org/x/sys/unix"
)

const filterFile = "seccomp"

// filtersDir is beside the containers. No container's id has a colon.
const filtersDir = "cache:seccomp"

// filters are the compiled system call filters of earlier containers. Without a directory of states, as in a dry run, there are none.
func filters(root string) seccomp.Cache {
	if root == "" {
		return ""
	}
	return seccomp.Cache(filepath.Join(root, filtersDir))
}

// saveFilter keeps the compiled system call filter for exec: what joins later gets the very program that the first process got, whatever
// has become of config.json. Native byte order: it never leaves the machine. No filter, no file.
func (s *State) saveFilter(filter []unix.SockFilter, flags uint) error {
	if len(filter) == 0 {
		return nil
	}
	text := binary.NativeEndian.AppendUint64(nil, uint64(flags))
	for _, i := range filter {
		text = binary.NativeEndian.AppendUint16(text, i.Code)
		text = append(text, i.Jt, i.Jf)
		text = binary.NativeEndian.AppendUint32(text, i.K)
	}
	return os.WriteFile(filepath.Join(s.dir, filterFile), text, 0o600)
}

func (s *State) loadFilter() (filter []unix.SockFilter, flags uint, err error) {
	text, err := os.ReadFile(filepath.Join(s.dir, filterFile))
	if err != nil {
		return nil, 0, err
	}
	if len(text) < 16 || len(text)%8 != 0 {
		return nil, 0, fmt.Errorf("%s: %d bytes are no filter", filterFile, len(text))
	}
	for i := 8; i < len(text); i += 8 {
		filter = append(filter, unix.SockFilter{
			Code: binary.NativeEndian.Uint16(text[i:]), Jt: text[i+2], Jf: text[i+3], K: binary.NativeEndian.Uint32(text[i+4:]),
		})
	}
	return filter, uint(binary.NativeEndian.Uint64(text)), nil
}
