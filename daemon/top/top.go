// Package top is what ps(1) says of a few processes, read from /proc: docker's top has ps's arguments and columns, and the daemon runs no
// program for it, whatever is or is not installed beside it or lies in an image.
//
// It is called by daemon/engine with the pids that containerd names. The numbers and names are the host's, as docker's are.
package top

import (
	"fmt"
	"strings"

	"hull/stages"
)

// Columns are the columns of one table, in order.
type Columns []column

// A column is one of ps's formats.
type column struct {
	title string
	value func(*process) string
}

// formats are the column formats by ps's names for them (ps(1), "STANDARD FORMAT SPECIFIERS"). Of two names for one thing the first is ps's
// own title's.
var formats = map[string]column{
	"pid": {"PID", func(p *process) string { return p.stat(fieldPID) }}, "ppid": {"PPID", func(p *process) string { return p.stat(fieldParent) }},
	"pgid": {"PGID", func(p *process) string { return p.stat(fieldGroup) }}, "pgrp": {"PGRP", func(p *process) string { return p.stat(fieldGroup) }},
	"sid": {"SID", func(p *process) string { return p.stat(fieldSession) }}, "sess": {"SESS", func(p *process) string { return p.stat(fieldSession) }},
	"user": {"USER", (*process).user}, "euser": {"EUSER", (*process).user}, "uid": {"UID", (*process).uid}, "euid": {"EUID", (*process).uid},
	"group": {"GROUP", (*process).group}, "egroup": {"EGROUP", (*process).group}, "gid": {"GID", (*process).gid}, "egid": {"EGID", (*process).gid},
	"comm": {"COMMAND", (*process).name}, "ucmd": {"CMD", (*process).name}, "ucomm": {"COMMAND", (*process).name},
	"cmd": {"CMD", (*process).command}, "args": {"COMMAND", (*process).command}, "command": {"COMMAND", (*process).command},
	"s": {"S", func(p *process) string { return p.stat(fieldState) }}, "state": {"S", func(p *process) string { return p.stat(fieldState) }},
	"stat": {"STAT", (*process).states},
	"c":    {"C", func(p *process) string { return fmt.Sprintf("%.0f", p.cpu()) }},
	"pcpu": {"%CPU", func(p *process) string { return fmt.Sprintf("%.1f", p.cpu()) }}, "%cpu": {"%CPU", func(p *process) string { return fmt.Sprintf("%.1f", p.cpu()) }},
	"pmem": {"%MEM", (*process).memory}, "%mem": {"%MEM", (*process).memory},
	"rss": {"RSS", (*process).resident}, "rssize": {"RSS", (*process).resident}, "vsz": {"VSZ", (*process).virtual}, "vsize": {"VSZ", (*process).virtual},
	"tty": {"TT", (*process).terminal}, "tt": {"TT", (*process).terminal}, "tname": {"TTY", (*process).terminal},
	"time": {"TIME", (*process).time}, "cputime": {"TIME", (*process).time}, "bsdtime": {"TIME", (*process).bsdTime},
	"stime": {"STIME", (*process).started}, "start_time": {"START", (*process).started}, "bsdstart": {"START", (*process).started},
	"etime": {"ELAPSED", (*process).elapsed}, "etimes": {"ELAPSED", func(p *process) string { return fmt.Sprint(int(p.age().Seconds())) }},
	"ni": {"NI", func(p *process) string { return p.stat(fieldNice) }}, "nice": {"NI", func(p *process) string { return p.stat(fieldNice) }},
	"nlwp": {"NLWP", func(p *process) string { return p.stat(fieldThreads) }}, "thcount": {"THCNT", func(p *process) string { return p.stat(fieldThreads) }},
}

const (
	full = "user,pid,ppid,c,stime,tname,time,cmd"                          // -f
	bsd  = "user,pid,pcpu,pmem,vsz,rss,tname,stat,start_time,bsdtime,args" // u
)

// Parse reads ps's arguments. Those that choose processes (-e, -A, a, x) mean nothing here: the container chooses.
func Parse(arguments string) (Columns, error) {
	if strings.TrimSpace(arguments) == "" {
		arguments = "-ef"
	}
	var columns Columns
	table := ""
	words := strings.Fields(arguments)
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		letters, dashed := strings.CutPrefix(word, "-")
	letters:
		for i, letter := range letters {
			switch {
			case strings.ContainsRune("eAaxgw", letter):
			case letter == 'f' && dashed:
				table = full
			case letter == 'u' && !dashed:
				table = bsd
			case letter == 'o':
				list := letters[i+1:]
				if list == "" && len(words) > 0 {
					list, words = words[0], words[1:]
				}
				more, err := parseList(list)
				if err != nil {
					return nil, err
				}
				columns = append(columns, more...)
				break letters // the list was the rest of the word, or the next
			default:
				return nil, unknown(word)
			}
		}
	}
	if len(columns) > 0 {
		return columns, nil
	}
	if table == "" {
		table = "pid,tname,time,ucmd"
	}
	columns, err := parseList(table)
	if table == full {
		columns[0].title = "UID" // ps's own name for the user in this table
	}
	return columns, err
}

// parseList reads "pid,comm=NAME": with a title, the rest of the list is the title.
func parseList(list string) (columns Columns, err error) {
	for list != "" {
		var name string
		name, list, _ = strings.Cut(list, ",")
		name, title, titled := strings.Cut(name, "=")
		c, ok := formats[name]
		if !ok {
			return nil, unknown("-o " + name)
		}
		if titled {
			if list != "" {
				title += "," + list
			}
			c.title, list = title, ""
		}
		columns = append(columns, c)
	}
	if len(columns) == 0 {
		return nil, unknown("-o")
	}
	return columns, nil
}

func unknown(word string) error {
	return &stages.Error{Kind: stages.Unsupported, Err: fmt.Errorf("ps %s is not offered by hull yet", word), Hint: "use -ef, aux or -o with columns"}
}

// Rows reads the processes. One that has ended meanwhile is left out.
func (c Columns) Rows(pids []int) (titles []string, rows [][]string) {
	for _, col := range c {
		titles = append(titles, col.title)
	}
	rows = [][]string{}
	for _, pid := range pids {
		p, err := read(pid)
		if err != nil {
			continue
		}
		row := make([]string, len(c))
		for i, col := range c {
			row[i] = col.value(p)
		}
		rows = append(rows, row)
	}
	return titles, rows
}
