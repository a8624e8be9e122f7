package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/client/format"
)

// An event as its template knows it.
const emptyEvent = `{"Status":"","ID":"","From":"","Type":"","Action":"","Actor":{"ID":"","Attributes":{}},"Scope":"","Time":0,"TimeNano":0}`

// eventsCommand is `hull events`: one line for each, until it is interrupted or the asked-for time is over.
func (a *app) eventsCommand() *cobra.Command {
	var o engine.EventOptions
	var since, until, text string
	c := &cobra.Command{Use: "events [OPTIONS]", Short: "Get real time events from the server", Args: args(0, 0), DisableFlagsInUseLine: true}
	c.Flags().VarP(filterValue{&o.Filters}, "filter", "f", "Filter output based on conditions provided")
	c.Flags().StringVar(&text, "format", "", formatOneHelp)
	c.Flags().StringVar(&since, "since", "", "Show all events created since timestamp")
	c.Flags().StringVar(&until, "until", "", "Stream events until this timestamp")
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		show := a.printEvent
		if text != "" {
			if show, err = a.eventPrinter(text); err != nil {
				return &exit{64, saidf("Error parsing format: %v", err)}
			}
		}
		now := time.Now()
		if o.Since, err = timestamp(since, now); err != nil {
			return said(err.Error())
		}
		if o.Until, err = timestamp(until, now); err != nil {
			return said(err.Error())
		}
		client, err := a.connect(c.Context())
		if err != nil {
			return err
		}
		return client.Events(c.Context(), o, show)
	}
	return c
}

// eventPrinter prints by a template. It is tried on an empty event first: a wrong name is told at once and not with the first event.
func (a *app) eventPrinter(text string) (func(json.RawMessage) error, error) {
	if strings.TrimSpace(text) == "json" {
		return func(raw json.RawMessage) error { _, err := fmt.Fprintf(a.out, "%s\n", raw); return err }, nil
	}
	t, err := oneTemplate(text)
	if err != nil {
		return nil, err
	}
	show := func(raw []byte, w *bytes.Buffer) error {
		v, err := format.Decode([]byte(emptyEvent))
		if err != nil {
			return err
		}
		come, err := format.Decode(raw)
		if err != nil {
			return err
		}
		if o, ok := come.(*format.Object); ok {
			o.Each(func(name string, member any) { // the API writes some of the names small
				v.(*format.Object).Set(map[string]string{
					"status": "Status", "id": "ID", "from": "From", "scope": "Scope", "time": "Time", "timeNano": "TimeNano", "Type": "Type", "Action": "Action", "Actor": "Actor",
				}[name], member)
			})
		}
		return t.Execute(w, v)
	}
	if err := show([]byte("{}"), &bytes.Buffer{}); err != nil {
		return nil, err
	}
	return func(raw json.RawMessage) error {
		var line bytes.Buffer
		if err := show(raw, &line); err != nil {
			return err
		}
		_, err := fmt.Fprintln(a.out, line.String())
		return err
	}, nil
}

// printEvent is docker's line: time, type, action, id, and the attributes in the order of their names.
func (a *app) printEvent(raw json.RawMessage) error {
	var e struct {
		Type, Action string
		Actor        struct {
			ID         string
			Attributes map[string]string
		}
		TimeNano int64 `json:"timeNano"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return err
	}
	line := fmt.Sprintf("%s %s %s %s", time.Unix(0, e.TimeNano).Format("2006-01-02T15:04:05.000000000Z07:00"), e.Type, e.Action, e.Actor.ID)
	if len(e.Actor.Attributes) > 0 {
		var list []string
		for k, v := range e.Actor.Attributes {
			list = append(list, k+"="+v)
		}
		sort.Strings(list)
		line += " (" + strings.Join(list, ", ") + ")"
	}
	_, err := fmt.Fprintln(a.out, line)
	return err
}
