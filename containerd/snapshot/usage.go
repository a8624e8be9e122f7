package snapshot

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
)

// usage adds up what a directory tree takes on the disk. A file with several names counts once (du(1) does the same).
func usage(root string) (size, inodes int64, err error) {
	type inode struct{ dev, ino uint64 }
	seen := map[inode]bool{}
	err = filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) { // a running container removes files while we count
				return nil
			}
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		st := info.Sys().(*syscall.Stat_t)
		if key := (inode{uint64(st.Dev), st.Ino}); !seen[key] {
			seen[key] = true
			size += st.Blocks * 512 // st_blocks counts in 512 bytes, whatever the file system's block is (stat(2))
			inodes++
		}
		return nil
	})
	return size, inodes, err
}
