package vmtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// initramfs packs files (name in the guest → content) in the form the kernel unpacks at boot: cpio "newc" (Linux
// Documentation/driver-api/early-userspace/buffer-format.rst), not compressed: an interpreted processor would be long about that. Every file is
// executable; parent directories are added.
func initramfs(to string, files map[string][]byte) (err error) {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	buffer := bufio.NewWriter(f)
	a := archive{w: buffer}
	names := make([]string, 0, len(files))
	made := map[string]bool{".": true}
	for name := range files {
		names = append(names, strings.TrimPrefix(name, "/"))
	}
	slices.Sort(names)
	for _, name := range names {
		var parents []string
		for dir := path.Dir(name); !made[dir]; dir = path.Dir(dir) {
			parents = append(parents, dir)
			made[dir] = true
		}
		for _, dir := range slices.Backward(parents) {
			a.entry(dir, 0o040755, nil)
		}
		a.entry(name, 0o100755, files["/"+name])
	}
	a.entry("TRAILER!!!", 0, nil)
	if a.err != nil {
		return a.err
	}
	return buffer.Flush()
}

// An archive writes cpio's "newc": a header of hexadecimal numbers, the name, the content, each padded to four bytes.
type archive struct {
	w   io.Writer
	n   int // the inode number; equal ones would be hard links
	err error
}

func (a *archive) entry(name string, mode int, content []byte) {
	a.n++
	header := "070701"
	for _, field := range []int{a.n, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0} {
		header += fmt.Sprintf("%08x", field)
	}
	a.write([]byte(header + name + "\x00"))
	a.write(content)
}

func (a *archive) write(b []byte) {
	for _, part := range [][]byte{b, make([]byte, (4-len(b)%4)%4)} {
		if a.err == nil {
			_, a.err = a.w.Write(part)
		}
	}
}
