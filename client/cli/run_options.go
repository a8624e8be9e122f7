package cli

import (
	"context"
	"os"

	"github.com/spf13/pflag"

	"hull/client/engine"
	"hull/stages"
	"hull/trace/span"
)

// runOptions are the flags of run and create, and the words after them. Each embedded part is one topic, in the file of its name.
type runOptions struct {
	streamOptions
	lifeOptions
	imageOptions
	processOptions
	resourceOptions
	isolationOptions
	mountOptions
	networkOptions
	traceOptions
	debugOptions

	image   string
	command []string

	debugger *debugger // of a run with gates
	made     string    // the container's id, once there is one
}

// A topic is some of run's flags that belong together: it defines them, and writes what they say into the request.
type topic interface {
	define(f *pflag.FlagSet)
	apply(body *engine.CreateRequest) error
}

func (o *runOptions) topics() []topic {
	return []topic{
		&o.streamOptions, &o.lifeOptions, &o.imageOptions, &o.processOptions, &o.resourceOptions, &o.isolationOptions, &o.mountOptions,
		&o.networkOptions, &o.traceOptions, &o.debugOptions,
	}
}

// define defines run's flags: docker's names and meanings, and hull's own.
func (o *runOptions) define(f *pflag.FlagSet) {
	f.SetInterspersed(false) // what stands after the image is the container's
	for _, t := range o.topics() {
		t.define(f)
	}
}

// payload makes the API's document out of the flags. What is not in it, the daemon never learns.
func (o *runOptions) payload(ctx context.Context, in *os.File) (body engine.CreateRequest, err error) {
	_, sp := span.Start(ctx, stages.ClientPayload)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return body, err
	}
	o.terminal = in
	body.Image, body.Cmd = o.image, o.command
	for _, t := range o.topics() {
		if err := t.apply(&body); err != nil {
			return body, err
		}
	}
	return body, nil
}
