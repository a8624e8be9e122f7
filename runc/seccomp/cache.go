package seccomp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A Cache is a directory of compiled programs: engines hand the same few profiles to each container, and compiling one is a large part of
// what create computes (1.0 to 1.6 ms of processor time for docker's on the machine of docs/performance.md; a hit takes 0.1 to 0.2).
// "" is no cache.
//
// A file holds all that the program was made of, and is of use only where that is the same to the last byte: no hash decides what a
// container may do. Its checksum is against damage. Against others there are the owner and the mode of directory and file, which must be
// ours alone. Whatever is not as it should be is compiled anew; a cache that cannot be written to costs time, and is no error.
type Cache string

const (
	cacheLimit   = 256 << 10 // of a file
	cacheEntries = 64        // more than that, and all are thrown away
)

// Filter is Compile's answer, from the cache if it is there. keep puts a new one there; it makes the directory, so it is called when
// things are made anyway.
func (c Cache) Filter(p *specs.LinuxSeccomp) (f Filter, keep func(), err error) {
	keep = func() {}
	if c == "" {
		f, err = Compile(p)
		return f, keep, err
	}
	key := keyOf(p)
	if f, ok := c.read(key); ok {
		return f, keep, nil
	}
	if f, err = Compile(p); err == nil {
		keep = func() { c.write(key, f) }
	}
	return f, keep, err
}

// keyOf is all that a program depends on: the profile, the architecture, and the compiler, which is this executable file.
func keyOf(p *specs.LinuxSeccomp) []byte {
	var exe unix.Stat_t
	_ = unix.Stat("/proc/self/exe", &exe) // zeros are a key as well
	key := fmt.Appendf(nil, "%s %d %d %d %d\n", runtime.GOARCH, exe.Ino, exe.Size, exe.Mtim.Sec, exe.Mtim.Nsec)
	number := func(n uint64) { key = binary.LittleEndian.AppendUint64(key, n) }
	text := func(s string) { // with its length: no two profiles have the same key
		number(uint64(len(s)))
		key = append(key, s...)
	}
	maybe := func(n *uint) {
		if n == nil {
			number(0)
			return
		}
		number(1)
		number(uint64(*n))
	}
	text(string(p.DefaultAction))
	maybe(p.DefaultErrnoRet)
	number(uint64(len(p.Architectures)))
	for _, a := range p.Architectures {
		text(string(a))
	}
	if p.Flags == nil { // which is not the same as none
		number(1 << 32)
	}
	number(uint64(len(p.Flags)))
	for _, f := range p.Flags {
		text(string(f))
	}
	text(p.ListenerPath)
	text(p.ListenerMetadata)
	number(uint64(len(p.Syscalls)))
	for _, s := range p.Syscalls {
		number(uint64(len(s.Names)))
		for _, name := range s.Names {
			text(name)
		}
		text(string(s.Action))
		maybe(s.ErrnoRet)
		number(uint64(len(s.Args)))
		for _, a := range s.Args {
			number(uint64(a.Index))
			number(a.Value)
			number(a.ValueTwo)
			text(string(a.Op))
		}
	}
	return key
}

// checksum is FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), 64 bits.
func checksum(text []byte) uint64 {
	sum := uint64(0xcbf29ce484222325)
	for _, b := range text {
		sum = (sum ^ uint64(b)) * 0x100000001b3
	}
	return sum
}

func nameOf(key []byte) string { return strconv.FormatUint(checksum(key), 16) }

// read finds a program. The file: checksum of the rest, the key with its length, flags, instructions.
func (c Cache) read(key []byte) (f Filter, ok bool) {
	dir, err := c.open()
	if err != nil {
		return f, false
	}
	defer unix.Close(dir)
	fd, err := unix.Openat(dir, nameOf(key), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return f, false
	}
	file := os.NewFile(uintptr(fd), nameOf(key))
	defer file.Close()
	if !ours(fd, unix.S_IFREG) {
		return f, false
	}
	text, err := io.ReadAll(io.LimitReader(file, cacheLimit))
	if err != nil || len(text) < 8 || checksum(text[8:]) != binary.LittleEndian.Uint64(text) {
		return f, false
	}
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(key)))
	text, found := bytes.CutPrefix(text[8:], append(head, key...))
	if !found || len(text) < 16 || len(text)%8 != 0 || len(text)/8-1 > maxInsns {
		return f, false
	}
	f.Flags = uint(binary.LittleEndian.Uint64(text))
	for i := 8; i < len(text); i += 8 {
		f.Insns = append(f.Insns, unix.SockFilter{
			Code: binary.LittleEndian.Uint16(text[i:]), Jt: text[i+2], Jf: text[i+3], K: binary.LittleEndian.Uint32(text[i+4:]),
		})
	}
	return f, true
}

// write keeps a program, under a name of its own first: whoever reads finds all of it or nothing.
func (c Cache) write(key []byte, f Filter) {
	if err := os.Mkdir(string(c), 0o700); err != nil && !os.IsExist(err) {
		return
	}
	dir, err := c.open()
	if err != nil {
		return
	}
	defer unix.Close(dir)
	if entries, err := os.ReadDir(string(c)); err == nil && len(entries) >= cacheEntries {
		for _, e := range entries {
			unix.Unlinkat(dir, e.Name(), 0)
		}
	}
	text := binary.LittleEndian.AppendUint64(make([]byte, 8, 4<<10), uint64(len(key)))
	text = binary.LittleEndian.AppendUint64(append(text, key...), uint64(f.Flags))
	for _, i := range f.Insns {
		text = append(binary.LittleEndian.AppendUint16(text, i.Code), i.Jt, i.Jf)
		text = binary.LittleEndian.AppendUint32(text, i.K)
	}
	binary.LittleEndian.PutUint64(text, checksum(text[8:]))
	if len(text) > cacheLimit {
		return
	}
	name := nameOf(key)
	tmp := name + "." + strconv.Itoa(os.Getpid())
	if os.WriteFile(filepath.Join(string(c), tmp), text, 0o600) != nil || unix.Renameat(dir, tmp, dir, name) != nil {
		unix.Unlinkat(dir, tmp, 0)
	}
}

// open opens the directory, if it is one and ours alone.
func (c Cache) open() (dir int, err error) {
	if dir, err = unix.Open(string(c), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
		return -1, err
	}
	if !ours(dir, unix.S_IFDIR) {
		unix.Close(dir)
		return -1, unix.EPERM
	}
	return dir, nil
}

// ours reports whether a file is of that type, belongs to us, and is open to nobody else.
func ours(fd int, typ uint32) bool {
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == typ && int(st.Uid) == os.Geteuid() && st.Mode&0o077 == 0
}
