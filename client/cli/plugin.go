package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"hull/stages"
)

// pluginCommand is a verb that is a program of its own beside this one, hull-NAME, as docker's plugins are: what few runs need, no run pays for.
func (a *app) pluginCommand(name, short string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			path := filepath.Join(filepath.Dir(self), "hull-"+name)
			// execve(2): the plugin takes this process over, with its terminal and its exit code.
			err = syscall.Exec(path, append([]string{path}, args...), os.Environ())
			if errors.Is(err, fs.ErrNotExist) {
				return &stages.Error{Kind: stages.NotFound, Thing: path, Err: fmt.Errorf("%s is a plugin, and it is missing", name), Hint: "hull's binaries belong into one directory"}
			}
			return err
		},
	}
}
