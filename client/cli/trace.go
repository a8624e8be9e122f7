package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// traceCommand is `hull trace`: the recorded runs of this instance. They are read from hull-trace, whichever daemon ran the container.
func (a *app) traceCommand() *cobra.Command {
	c := group("trace", "Show recorded runs")
	c.AddCommand(a.traceLsCommand(), a.traceShowCommand(), a.traceLastCommand(), a.traceExportCommand(), a.traceRmCommand())
	return c
}

func (a *app) tracer() (engine.Tracer, error) {
	inst, err := a.instance()
	return engine.Tracer{Socket: inst.TraceSocket()}, err
}

func (a *app) traceLsCommand() *cobra.Command {
	var quiet bool
	c := &cobra.Command{Use: "ls [OPTIONS]", Aliases: []string{"list"}, Short: "List traces, newest first", Args: args(0, 0), DisableFlagsInUseLine: true}
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "Only show trace IDs")
	c.RunE = func(c *cobra.Command, _ []string) error {
		t, err := a.tracer()
		if err != nil {
			return err
		}
		list, err := t.List(c.Context())
		if err != nil {
			return err
		}
		rows := table{{"TRACE ID", "COMMAND", "CONTAINER", "STARTED", "STEPS", "PROVED", "UNPROVED", "KERNEL EVENTS", "LOST"}}
		for _, s := range list {
			if quiet {
				fmt.Fprintln(a.out, s.ID)
				continue
			}
			rows = append(rows, []string{
				shortID(s.ID), ellipsis(strings.Join(s.Command, " "), 40), shortID(s.Container), ago(s.Start / int64(time.Second)),
				fmt.Sprint(s.Steps), fmt.Sprint(s.Proved), fmt.Sprint(s.Unproved), fmt.Sprint(s.KernelEvents), fmt.Sprint(s.Lost),
			})
		}
		if !quiet {
			rows.print(a.out)
		}
		return nil
	}
	return c
}

func (a *app) traceShowCommand() *cobra.Command {
	return a.timelineCommand(&cobra.Command{
		Use: "show [OPTIONS] TRACE", Short: "Print a trace's timeline (TRACE: an id or its beginning, a container, or last)", Args: args(1, 1),
	})
}

func (a *app) traceLastCommand() *cobra.Command {
	return a.timelineCommand(&cobra.Command{Use: "last [OPTIONS]", Short: "Print the newest trace's timeline", Args: args(0, 0)})
}

// timelineCommand makes c print the timeline of the trace that it is given, or of the last.
func (a *app) timelineCommand(c *cobra.Command) *cobra.Command {
	level := "stages"
	c.DisableFlagsInUseLine = true
	c.Flags().StringVar(&level, "level", level, "How much is told: story, stages or all")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := checkLevel(level); err != nil {
			return &exit{125, fmt.Errorf("invalid argument %q for \"--level\" flag: %w", level, err)}
		}
		t, err := a.tracer()
		if err != nil {
			return err
		}
		return t.Show(c.Context(), a.traceOf(c.Context(), t, append(args, "last")[0]), timeline(a.out, level), a.out)
	}
	return c
}

// traceOf is what to ask hull-trace for: it knows traces and the ids of containers, but only the daemon knows a container's name. A name that the
// daemon does not know either is passed on, and refused by hull-trace in its own words.
func (a *app) traceOf(ctx context.Context, t engine.Tracer, ref string) string {
	list, err := t.List(ctx)
	if err != nil || ref == "last" {
		return ref
	}
	for _, s := range list {
		if strings.HasPrefix(s.ID, ref) || len(ref) >= len(shortID(s.Container)) && strings.HasPrefix(s.Container, ref) {
			return ref
		}
	}
	inst, err := a.instance()
	if err != nil {
		return ref
	}
	if d, err := engine.New(inst.APISocket()).Details(ctx, ref); err == nil {
		return d.ID
	}
	return ref
}

func (a *app) traceExportCommand() *cobra.Command {
	var format, output string
	c := &cobra.Command{Use: "export [OPTIONS] TRACE", Short: "Write a trace to a file or to STDOUT", Args: args(1, 1), DisableFlagsInUseLine: true}
	c.Flags().StringVar(&format, "format", "", "jaeger, otlp, html, text or json (default by the file's suffix, and jaeger for STDOUT)")
	c.Flags().StringVarP(&output, "output", "o", "", "Write to this `file`, instead of STDOUT")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch format {
		case "jaeger", "otlp", "html", "text", "json":
		case "":
			format = "jaeger"
			if output != "" {
				if format = formatOf(output); format == "" {
					_, err := checkTraceOut(output)
					return &exit{125, fmt.Errorf("%s: %w; or use --format", output, err)}
				}
			}
		default:
			return &exit{125, fmt.Errorf("invalid argument %q for \"--format\" flag: use jaeger, otlp, html, text or json", format)}
		}
		t, err := a.tracer()
		if err != nil {
			return err
		}
		if output == "" {
			return t.Export(c.Context(), a.traceOf(c.Context(), t, args[0]), format, a.out)
		}
		return exportFile(c.Context(), t, a.traceOf(c.Context(), t, args[0]), format, output)
	}
	return c
}

func (a *app) traceRmCommand() *cobra.Command {
	return &cobra.Command{Use: "rm TRACE [TRACE...]", Aliases: []string{"remove"}, Short: "Remove one or more traces", Args: args(1, -1), RunE: func(c *cobra.Command, names []string) error {
		t, err := a.tracer()
		if err != nil {
			return err
		}
		var failed bool
		for _, name := range names {
			if err := t.Remove(c.Context(), name); err != nil {
				a.report(err)
				failed = true
				continue
			}
			a.say(name)
		}
		if failed {
			return &exit{code: 1}
		}
		return nil
	}}
}
