package namespace

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// toolDirs are where newuidmap(1) and newgidmap(1) are looked for. Not in $PATH: whoever sets that would choose the program that is told
// which ids to give.
var toolDirs = []string{"/usr/bin", "/bin", "/usr/local/bin", "/run/wrappers/bin"}

// tool is the program's path, or "" if it is not there.
func tool(name string) string {
	for _, dir := range toolDirs {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// runTool has the program write the process's map. What it says on standard error is the error.
func runTool(name string, pid int, m IDMap) error {
	path := tool(name)
	if path == "" {
		return fmt.Errorf("%s(1) is in none of %s", name, strings.Join(toolDirs, ", "))
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		w.Close()
		return err
	}
	defer null.Close()
	args := append([]string{name, strconv.Itoa(pid)}, strings.Fields(m.String())...)
	p, err := os.StartProcess(path, args, &os.ProcAttr{Dir: "/", Env: []string{}, Files: []*os.File{null, null, w}})
	w.Close()
	if err != nil {
		return err
	}
	said, _ := io.ReadAll(io.LimitReader(r, 4096))
	state, err := p.Wait()
	if err == nil && !state.Success() {
		err = fmt.Errorf("%s: %s: %s", path, state, strings.Join(strings.Fields(string(said)), " "))
	}
	return err
}
