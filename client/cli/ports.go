package cli

import (
	"cmp"
	"fmt"
	"slices"

	"hull/client/engine"
)

// A portGroup is neighbouring ports that are shown as one range: 8000-8002.
type portGroup struct {
	ip, proto   string
	first, last uint16
}

func (g portGroup) String() string {
	s := fmt.Sprint(g.first)
	if g.first != g.last {
		s += fmt.Sprint("-", g.last)
	}
	if g.ip != "" {
		s = g.ip + ":" + s + "->" + s
	}
	return s + "/" + g.proto
}

// ports is docker's way of showing them: ranges of ports that are the same inside and outside, or not published, come first; then each port
// that has another number outside.
func ports(list []engine.Port) (text string) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b engine.Port) int {
		return cmp.Or(cmp.Compare(a.PrivatePort, b.PrivatePort), cmp.Compare(a.IP, b.IP), cmp.Compare(a.PublicPort, b.PublicPort), cmp.Compare(a.Type, b.Type))
	})
	var groups []portGroup
	var moved []string
next:
	for _, p := range list {
		if p.IP != "" && p.PublicPort != p.PrivatePort {
			moved = append(moved, fmt.Sprintf("%s:%d->%d/%s", p.IP, p.PublicPort, p.PrivatePort, p.Type))
			continue
		}
		for i := range groups {
			if g := &groups[i]; g.ip == p.IP && g.proto == p.Type && g.last+1 == p.PrivatePort {
				g.last++
				continue next
			}
		}
		groups = append(groups, portGroup{p.IP, p.Type, p.PrivatePort, p.PrivatePort})
	}
	slices.SortStableFunc(groups, func(a, b portGroup) int { return cmp.Or(cmp.Compare(a.ip, b.ip), cmp.Compare(a.proto, b.proto)) })
	for _, g := range groups {
		text += ", " + g.String()
	}
	for _, m := range moved {
		text += ", " + m
	}
	if text == "" {
		return ""
	}
	return text[2:]
}
