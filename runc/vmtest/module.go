package vmtest

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// modules finds kernel modules by name below root and returns their files in the order of loading: what a module says it depends on
// (modinfo(8), "depends") comes before it. Debian's package has no modules.dep; depmod makes that at installation.
func modules(root string, names []string) (files []string, err error) {
	byName := map[string]string{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(filepath.Base(path), ".ko"); ok && err == nil {
			byName[strings.ReplaceAll(name, "-", "_")] = path
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var add func(name string) error
	add = func(name string) error {
		file := byName[strings.ReplaceAll(name, "-", "_")]
		if file == "" {
			return fmt.Errorf("vmtest: no kernel module called %s below %s", name, root)
		}
		if slices.Contains(files, file) {
			return nil
		}
		needs, err := depends(file)
		for _, need := range needs {
			if err == nil {
				err = add(need)
			}
		}
		files = append(files, file)
		return err
	}
	for _, name := range names {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// depends reads a module's own word about which others it needs: "depends=a,b" among the strings of its section .modinfo.
func depends(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	section := f.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("vmtest: %s is not a kernel module", file)
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(string(info), "\x00") {
		if list, ok := strings.CutPrefix(line, "depends="); ok && list != "" {
			return strings.Split(list, ","), nil
		}
	}
	return nil, nil
}
