package cli

import "hull/stages/detach"

// A detachKeys value is the --detach-keys flag: checked at once, kept as it was written.
type detachKeys struct{ text *string }

func (v detachKeys) Set(s string) error {
	_, err := detach.Parse(s)
	if err == nil {
		*v.text = s
	}
	return err
}
func (v detachKeys) Type() string   { return "string" }
func (v detachKeys) String() string { return "" }
