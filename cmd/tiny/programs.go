package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// programs are the names; each takes its arguments and returns its exit code.
var programs = map[string]func(args []string) int{
	"true":  func([]string) int { return 0 },
	"false": func([]string) int { return 1 },
	"exit":  exit,
	"echo":  func(args []string) int { fmt.Println(strings.Join(args, " ")); return 0 },
	"env":   func([]string) int { fmt.Println(strings.Join(os.Environ(), "\n")); return 0 },
	"id": func([]string) int {
		fmt.Printf("uid=%d gid=%d groups=%v\n", os.Getuid(), os.Getgid(), groups())
		return 0
	},
	"sleep": sleep,
	"clock": clock,
	"cat":   cat,
	"ls":    ls,
	"ns":    ns,
}

// names is what there is, in order. The image has a link for each.
func names() []string {
	all := []string{}
	for name := range programs {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "tiny:", err)
	return 1
}

// exit N ends with that code.
func exit(args []string) int {
	if len(args) != 1 {
		return fail(fmt.Errorf("usage: exit N"))
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return fail(err)
	}
	return n
}

func groups() []int {
	g, _ := os.Getgroups()
	return g
}

// duration reads "1.5" as seconds and "200ms" as it stands.
func duration(args []string, otherwise time.Duration) (time.Duration, error) {
	if len(args) == 0 {
		return otherwise, nil
	}
	if s, err := strconv.ParseFloat(args[0], 64); err == nil {
		return time.Duration(s * float64(time.Second)), nil
	}
	return time.ParseDuration(args[0])
}

func sleep(args []string) int {
	d, err := duration(args, 0)
	if err != nil {
		return fail(err)
	}
	time.Sleep(d)
	return 0
}

// clock [INTERVAL] counts up, one line each interval (a second), for ever: a gap in what it printed is lost output.
func clock(args []string) int {
	d, err := duration(args, time.Second)
	if err != nil || d <= 0 {
		return fail(fmt.Errorf("usage: clock [INTERVAL]: %v", err))
	}
	for n, tick := 0, time.Tick(d); ; n++ {
		if _, err := fmt.Println(n, time.Now().Format(time.RFC3339Nano)); err != nil {
			return fail(err)
		}
		<-tick
	}
}

func cat(args []string) int {
	if len(args) == 0 {
		args = []string{"/dev/stdin"}
	}
	for _, name := range args {
		f, err := os.Open(name)
		if err == nil {
			_, err = io.Copy(os.Stdout, f)
			f.Close()
		}
		if err != nil {
			return fail(err)
		}
	}
	return 0
}

func ls(args []string) int {
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, dir := range args {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fail(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				continue // gone meanwhile, as processes in /proc do
			}
			fmt.Printf("%s %10d %s\n", info.Mode(), info.Size(), e.Name())
		}
	}
	return 0
}

// ns prints the namespaces this process is in (namespaces(7)): the same number is the same namespace.
func ns([]string) int {
	links, err := filepath.Glob("/proc/self/ns/*")
	if err != nil || links == nil {
		return fail(fmt.Errorf("/proc/self/ns: nothing there: %v", err))
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil {
			return fail(err)
		}
		fmt.Printf("%-20s %s\n", filepath.Base(link), target)
	}
	return 0
}
