package spec

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"hull/stages"

	"github.com/moby/sys/user"
)

// A User is who the container's program runs as, by number.
type User struct {
	UID, GID uint32
	Groups   []uint32
	Home     string
}

const maxID = 1<<31 - 1 // the highest uid and gid that docker takes

const maxUserFile = 4 << 20 // bytes of /etc/passwd or /etc/group that are read

// ResolveUser turns docker's user string (name, uid, name:group, uid:gid) into numbers by the image's own /etc/passwd and /etc/group. The
// supplementary groups are those that /etc/group lists for a user without an explicit group. open opens a file of the image; files
// that do not exist are empty.
//
// groupAdd are further groups of --group-add, by name or number.
func ResolveUser(spec string, groupAdd []string, open func(path string) (io.ReadCloser, error)) (User, error) {
	passwd, err := readUserFile(open, "etc/passwd")
	if err != nil {
		return User{}, err
	}
	group, err := readUserFile(open, "etc/group")
	if err != nil {
		return User{}, err
	}
	found, err := user.GetExecUser(spec, &user.ExecUser{Home: "/"}, bytes.NewReader(passwd), bytes.NewReader(group))
	if err != nil {
		return User{}, invalid("unable to find user %s: %s", strings.SplitN(spec, ":", 2)[0], err)
	}
	added, err := user.GetAdditionalGroups(groupAdd, bytes.NewReader(group))
	if err != nil {
		return User{}, invalid("%w", err)
	}
	// A line of the image's file can hold any number: cut to 32 bits it would be another user, and 4294967295 is setresuid(2)'s word for
	// "leave it as it is", which is root (CVE-2024-40635). A number of the user's own was checked by GetExecUser.
	for _, id := range append([]int{found.Uid, found.Gid}, append(found.Sgids, added...)...) {
		if id < 0 || id > maxID {
			return User{}, invalid("unable to find user %s: %w", strings.SplitN(spec, ":", 2)[0], user.ErrRange)
		}
	}
	u := User{UID: uint32(found.Uid), GID: uint32(found.Gid), Home: found.Home, Groups: []uint32{uint32(found.Gid)}}
	for _, g := range append(found.Sgids, added...) {
		if !slices.Contains(u.Groups, uint32(g)) {
			u.Groups = append(u.Groups, uint32(g))
		}
	}
	return u, nil
}

func readUserFile(open func(string) (io.ReadCloser, error), path string) ([]byte, error) {
	f, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "/" + path + " of the image", Err: err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxUserFile+1))
	if err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "/" + path + " of the image", Err: err}
	}
	if len(text) > maxUserFile {
		return nil, invalid("/%s of the image is larger than %d bytes", path, maxUserFile)
	}
	return text, nil
}
