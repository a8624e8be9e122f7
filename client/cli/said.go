package cli

import "fmt"

// A said error is docker's own wording, and printed as it stands.
type said string

func (e said) Error() string { return string(e) }

func saidf(format string, args ...any) error { return said(fmt.Sprintf(format, args...)) }
