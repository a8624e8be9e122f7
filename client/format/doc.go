// Package format prints what docker's --format asks for: Go templates with docker's functions, tables, and JSON.
//
// It is called by client/cli. The language is that of text/template: its own parser reads it. The evaluator is ours, because the standard one
// finds methods by name, and a program in which that is possible must keep every exported method of every type it holds: hull would grow
// by 2 MB, and each `hull run` would pay 16 page faults for templates that it does not use (docs/adr/0011-own-template-evaluator.md).
// Ours needs no reflection, as all that the client prints is JSON, or rows of text.
package format
