package process

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// passwdLimit is how much of /etc/passwd is read: the file is the image's.
const passwdLimit = 1 << 20

// WithHome is env with a HOME, as peers add it where there is none: the user's in the image's /etc/passwd, else "/".
func WithHome(env []string, rootfs string, uid uint32) []string {
	if slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, "HOME=") && e != "HOME=" }) {
		return env
	}
	env = slices.DeleteFunc(slices.Clone(env), func(e string) bool { return e == "HOME=" })
	return append(env, "HOME="+home(rootfs, uid))
}

func home(rootfs string, uid uint32) string {
	root, err := unix.Open(rootfs, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "/"
	}
	defer unix.Close(root)
	// Beneath the root (the file may be a link to the host's), and without blocking (it may be a FIFO).
	fd, err := unix.Openat2(root, "etc/passwd", &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return "/"
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		unix.Close(fd)
		return "/"
	}
	f := os.NewFile(uintptr(fd), "/etc/passwd")
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, passwdLimit))
	for _, line := range strings.Split(string(text), "\n") {
		// passwd(5): name:password:UID:GID:GECOS:directory:shell
		field := strings.Split(line, ":")
		if len(field) >= 6 && field[2] == strconv.FormatUint(uint64(uid), 10) && filepath.IsAbs(field[5]) {
			return field[5]
		}
	}
	return "/"
}
