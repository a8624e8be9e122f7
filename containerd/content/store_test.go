package content

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSettled: what vanishes while it is listed makes the list be made again; any other failure is one.
func TestSettled(t *testing.T) {
	tries := 0
	all, err := settled(func() ([]int, error) {
		if tries++; tries < 4 {
			return nil, &fs.PathError{Op: "lstat", Path: "blob", Err: fs.ErrNotExist}
		}
		return []int{1, 2}, nil
	})
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, all)
	require.Equal(t, 4, tries)

	broken := errors.New("broken")
	tries = 0
	_, err = settled(func() ([]int, error) { tries++; return nil, broken })
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, tries)
}
