package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A test is one function TestAttackNN….
type test struct {
	number int
	name   string
	folder string // below the project's root
	file   string
}

var function = regexp.MustCompile(`(?m)^func (TestAttack(\w*))\(t \*testing\.T\)`)

// find looks for the tests in all packages below root.
func find(root string) (tests []test, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			number, _ := strconv.Atoi(m[2][:min(2, len(m[2]))]) // 0 for a name without a number, which is nobody's
			tests = append(tests, test{number, m[1], filepath.Dir(rel), filepath.Base(rel)})
		}
		return err
	})
	slices.SortStableFunc(tests, func(a, b test) int { return strings.Compare(a.name, b.name) })
	return tests, err
}

// of are the tests of one attack.
func of(tests []test, number int) (list []test) {
	for _, t := range tests {
		if t.number == number {
			list = append(list, t)
		}
	}
	return list
}

// packages are where the tests are, in the form of the go command.
func packages(tests []test) (list []string) {
	for _, t := range tests {
		if p := "./" + t.folder; !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	return list
}

// check holds the tests and the table against each other.
func check(tests []test) error {
	for i, a := range attacks {
		n := len(of(tests, a.number))
		switch {
		case a.number != i+1:
			return fmt.Errorf("row %d of the table has the number %d", i+1, a.number)
		case (a.holds == "") == (a.notOffered == ""):
			return fmt.Errorf("attack %d: the table says what stands against it, or why it is not offered", a.number)
		case a.notOffered == "" && n == 0:
			return fmt.Errorf("attack %d has no test TestAttack%02d…", a.number, a.number)
		case a.notOffered != "" && n > 0:
			return fmt.Errorf("attack %d is not offered, and has a test", a.number)
		}
	}
	for _, t := range tests {
		if t.number < 1 || t.number > len(attacks) {
			return fmt.Errorf("%s in %s is no test of an attack of the table", t.name, t.folder)
		}
	}
	return nil
}
