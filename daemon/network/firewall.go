package network

import (
	"context"
	"errors"
	"fmt"
	"os"

	"hull/stages"
	"hull/trace/span"

	"github.com/google/nftables"
	"github.com/google/nftables/userdata"
)

// The table of rules is the instance's own: nothing is added to anybody else's, and taking it back is one message. What it says, as `nft list
// table ip hull-HASH` shows it (nft(8)):
//
//	chain guard       { type filter hook prerouting priority raw;     iifname BRIDGE ip daddr 127.0.0.0/8 drop; iifname BRIDGE ip saddr 127.0.0.0/8 drop }
//	chain arrive      { type nat hook prerouting priority dstnat;     ip daddr != 127.0.0.0/8 fib daddr type local jump published }
//	chain local       { type nat hook output priority dstnat;         fib daddr type local jump published }
//	chain published   { tcp dport 8080 dnat to 172.17.0.2:80 }        one rule for each published port
//	chain leave       { type nat hook postrouting priority srcnat;    ip saddr SUBNET oifname != BRIDGE masquerade
//	                                                                  oifname BRIDGE ip saddr 127.0.0.0/8 masquerade
//	                                                                  oifname BRIDGE ip saddr SUBNET ct status dnat masquerade }
//	chain forward     { type filter hook forward priority filter;     oifname BRIDGE ct state established,related accept
//	                                                                  oifname BRIDGE ct status dnat accept
//	                                                                  oifname BRIDGE iifname BRIDGE accept
//	                                                                  oifname BRIDGE drop }
//
// So: out of the bridge goes everything; into it come answers, what was sent to a published port, and the neighbours. Another instance's
// containers are strangers like anybody else. See docs/adr/0010-published-ports.md.

// A ruleset is one transaction on the table: all of it comes into force at once, or nothing (nf_tables).
type ruleset struct {
	conn  *nftables.Conn
	table *nftables.Table
}

func (b *Bridge) rules() (*ruleset, error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, err
	}
	return &ruleset{conn, &nftables.Table{Family: nftables.TableFamilyIPv4, Name: b.name}}, nil
}

const published = "published" // the chain of published ports

func (r *ruleset) chain(name string) *nftables.Chain {
	return &nftables.Chain{Table: r.table, Name: name}
}

func (r *ruleset) base(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority *nftables.ChainPriority) {
	r.conn.AddChain(&nftables.Chain{Table: r.table, Name: name, Type: kind, Hooknum: hook, Priority: priority})
}

func (r *ruleset) add(chain, comment string, parts ...match) {
	rule := &nftables.Rule{Table: r.table, Chain: r.chain(chain)}
	for _, p := range parts {
		rule.Exprs = append(rule.Exprs, p...)
	}
	if comment != "" {
		rule.UserData = userdata.AppendString(nil, userdata.TypeComment, comment)
	}
	r.conn.AddRule(rule)
}

// makeTable writes the table anew, with a rule for each port that is published now. Old and new are exchanged in one transaction: established
// connections go on, and there is no moment without rules. It needs b.mu.
func (b *Bridge) makeTable(ctx context.Context) (err error) {
	r, err := b.rules()
	if err != nil {
		return failed(stages.DaemonNetworkRule, b.name, err)
	}
	r.conn.AddTable(r.table) // so that there is one to delete
	r.conn.DelTable(r.table)
	r.conn.AddTable(r.table)
	spans := []*span.Span{}
	rule := func(instance string) {
		_, sp := span.Start(ctx, stages.DaemonNetworkRule)
		sp.Instance(instance)
		spans = append(spans, sp)
	}
	rule("masquerade " + b.subnet.String())
	r.base("leave", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource)
	r.add("leave", "", source(b.subnet), outOtherThan(b.name), masquerade())
	r.add("leave", "", outBy(b.name), source(loopback), masquerade())
	r.add("leave", "", outBy(b.name), source(b.subnet), redirected(), masquerade())
	rule("forward to " + b.name)
	r.base("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter)
	r.add("forward", "", outBy(b.name), answer(), accept())
	r.add("forward", "", outBy(b.name), redirected(), accept())
	r.add("forward", "", outBy(b.name), inBy(b.name), accept())
	r.add("forward", "", outBy(b.name), drop())
	rule("guard " + loopback.String())
	r.base("guard", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityRaw)
	r.add("guard", "", inBy(b.name), destination(loopback), drop())
	r.add("guard", "", inBy(b.name), source(loopback), drop())
	r.conn.AddChain(r.chain(published))
	r.base("arrive", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest)
	r.add("arrive", "", notDestination(loopback), toThisHost(), jump(published))
	r.base("local", nftables.ChainTypeNAT, nftables.ChainHookOutput, nftables.ChainPriorityNATDest)
	r.add("local", "", toThisHost(), jump(published))
	for id, w := range b.wires {
		for p := range w.held {
			r.publish(id, w.address, p)
		}
	}
	if err = r.conn.Flush(); err != nil {
		err = failed(stages.DaemonNetworkRule, b.name, fmt.Errorf("nf_tables: %w", err))
	}
	for _, sp := range spans {
		sp.End(&err)
	}
	return err
}

func (b *Bridge) deleteTable() error {
	r, err := b.rules()
	if err != nil {
		return err
	}
	r.conn.DelTable(r.table)
	if err := r.conn.Flush(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
