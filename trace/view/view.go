package view

import (
	"io"

	"hull/trace/model"
)

func Write(w io.Writer, t *model.Trace) error { return nil }
