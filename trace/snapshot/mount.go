package snapshot

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A mount is one line of mountinfo (proc_pid_mountinfo(5)), without what changes for no reason of the run's.
type mount struct{ path, fstype, source, options, propagation string }

func (m mount) String() string {
	s := fmt.Sprintf("%s  %s  %s  %s", m.path, m.fstype, m.source, m.options)
	if m.propagation != "" {
		s += "  " + m.propagation
	}
	return s
}

func mounts(pid string) (list []mount) {
	for line := range strings.Lines(read("/proc/%s/mountinfo", pid)) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 6 || len(g) < 2 {
			continue
		}
		m := mount{path: clean(unescape(f[4])), fstype: g[0], source: clean(unescape(g[1])), options: f[5], propagation: "private"}
		for _, tag := range f[6:] {
			kind, _, _ := strings.Cut(tag, ":") // a peer group's number says nothing here
			m.propagation = map[string]string{"shared": "shared", "master": "slave", "unbindable": "unbindable"}[kind]
		}
		list = append(list, m)
	}
	return list
}

// unescape undoes mountinfo's \040 for a space and its like.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// most is how many mounts of a kind are listed one by one.
const most = 40

// mountChanges is what has come and gone in the process's mount namespace since the last look. A namespace that is seen for the first time is
// held against the host's: it was a copy of that when it was made.
func (s *Seen) mountChanges(pid int) (lines []string) {
	ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return nil
	}
	host, _ := os.Readlink("/proc/self/ns/mnt")
	now := mounts(strconv.Itoa(pid))
	before, known := s.mounts[ns]
	s.mounts[ns] = now
	switch {
	case !known && ns == host:
		return []string{fmt.Sprintf("%d, the host's", len(now))}
	case !known:
		before = mounts("self")
		lines = append(lines, "a namespace of its own; beside the host's:")
	}
	gone, come := difference(before, now), difference(now, before)
	if len(gone)+len(come) == 0 {
		return append(lines, fmt.Sprintf("%d, as before", len(now)))
	}
	return append(append(lines, listed("-", gone)...), listed("+", come)...)
}

// listed is one line for each mount, or their number if they are many.
func listed(sign string, list []mount) (lines []string) {
	if len(list) > most || sign == "-" && len(list) > most/4 {
		return []string{fmt.Sprintf("%s %d mounts", sign, len(list))}
	}
	for _, m := range list {
		lines = append(lines, sign+" "+m.String())
	}
	return lines
}

// difference is what of a is not in b, each as often as it is there more.
func difference(a, b []mount) (list []mount) {
	count := map[mount]int{}
	for _, m := range b {
		count[m]++
	}
	for _, m := range a {
		if count[m]--; count[m] < 0 {
			list = append(list, m)
		}
	}
	return list
}
