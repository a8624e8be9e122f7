package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// logsCommand is `hull logs`.
func (a *app) logsCommand() *cobra.Command {
	var o engine.LogOptions
	var since, until string
	c := &cobra.Command{
		Use: "logs [OPTIONS] CONTAINER", Short: "Fetch the logs of a container", Args: args(1, 1), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) (err error) {
			now := time.Now()
			if o.Since, err = timestamp(since, now); err != nil {
				return saidf("invalid value for \"since\": %v", err)
			}
			if o.Until, err = timestamp(until, now); err != nil {
				return saidf("invalid value for \"until\": %v", err)
			}
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			return client.Logs(c.Context(), args[0], o, a.out, a.err)
		},
	}
	c.Flags().BoolVarP(&o.Follow, "follow", "f", false, "Follow log output")
	c.Flags().StringVarP(&o.Tail, "tail", "n", "all", "Number of lines to show from the end of the logs")
	c.Flags().BoolVarP(&o.Timestamps, "timestamps", "t", false, "Show timestamps")
	c.Flags().StringVar(&since, "since", "", `Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)`)
	c.Flags().StringVar(&until, "until", "", `Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)`)
	c.Flags().BoolVar(&o.Details, "details", false, "Show extra details provided to logs")
	return c
}

// timestamp turns what a user writes for a moment into what the API takes: Unix time in seconds, with nanoseconds behind a point. It
// may be a duration back from now, a date with or without time and zone, or such a number already.
func timestamp(value string, now time.Time) (string, error) {
	if value == "" {
		return "", nil
	}
	format := func(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }
	if d, err := time.ParseDuration(value); err == nil {
		return format(now.Add(-d)), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02Z07:00", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, value, now.Location()); err == nil {
			return format(t), nil
		}
	}
	seconds, fraction, _ := strings.Cut(value, ".")
	for _, number := range []string{seconds, "0" + fraction} {
		if _, err := strconv.ParseInt(number, 10, 64); err != nil {
			return "", fmt.Errorf("failed to parse value as time or duration: %q", value)
		}
	}
	return value, nil
}
