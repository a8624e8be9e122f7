// Command conformance runs the OCI runtime-tools validation suite, 58 programs, against hull-runc, and ends with one line of sums:
// "oci: N of 58 programs clean, N listed, N unlisted". It needs root, and busybox from HULL_TOOLS.
//
// A program that is not clean must be on docs/conformance.txt with its reason; one that is on it and is clean must be taken off. Both fail.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"
)

func main() {
	pattern := flag.String("run", "", "only the programs whose name matches this `regexp`")
	list := flag.String("list", "docs/conformance.txt", "the `file` of the programs that are not clean")
	runtime := flag.String("runtime", "", "another runtime's `program`: nothing is held against the list")
	verbose := flag.Bool("v", false, "print what each program that is not clean has printed")
	flag.Parse()
	sum, err := conformance(*pattern, *list, *runtime, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
	fmt.Println(sum)
	if sum.failed() {
		os.Exit(1)
	}
}

// conformance runs the programs one after the other: they use the same cgroups.
func conformance(pattern, list, runtime string, verbose bool) (s sum, err error) {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return s, err
	}
	known, err := readList(list)
	if err != nil {
		return s, err
	}
	names, err := programs()
	if err != nil {
		return s, err
	}
	if err := known.check(names); err != nil {
		return s, err
	}
	var chosen []string
	for _, name := range names {
		if match.MatchString(name) {
			chosen = append(chosen, name)
		}
	}
	if len(chosen) == 0 {
		return s, fmt.Errorf("no program matches %q", pattern)
	}
	b, err := newBench(chosen, runtime)
	if err != nil {
		return s, err
	}
	defer b.close()
	for _, name := range chosen {
		begin := time.Now()
		out, stderr, runErr := b.run(name)
		r := judge(name, out, runErr)
		verdict := s.add(r, known[name], runtime != "")
		fmt.Printf("%-8s %-32s %5.1f s  %d not ok  %s\n", verdict, name, time.Since(begin).Seconds(), r.points, r.unclean)
		if verbose && r.unclean != "" || verdict == unlisted {
			fmt.Printf("%s%s\n", out, stderr)
		}
	}
	return s, nil
}
