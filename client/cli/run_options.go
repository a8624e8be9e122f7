package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"hull/client/engine"
	"hull/stages"
	"hull/trace/span"
)

// runOptions are the flags of run and create, and the words after them. Each embedded part is one topic, in the file of its name.
type runOptions struct {
	streamOptions
	lifeOptions
	restartOptions
	imageOptions
	processOptions
	labelOptions
	hostsOptions
	resourceOptions
	isolationOptions
	deviceOptions
	mountOptions
	networkOptions
	traceOptions
	debugOptions

	verb    string // run or create
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
		&o.streamOptions, &o.lifeOptions, &o.restartOptions, &o.imageOptions, &o.processOptions, &o.labelOptions, &o.hostsOptions, &o.resourceOptions,
		&o.isolationOptions, &o.deviceOptions, &o.mountOptions, &o.networkOptions, &o.traceOptions, &o.debugOptions,
	}
}

// define defines the flags that run and create have: docker's names and meanings.
func (o *runOptions) define(f *pflag.FlagSet) {
	f.SetInterspersed(false) // what stands after the image is the container's
	for _, t := range o.topics() {
		t.define(f)
	}
}

// defineRun defines the flags that only run has.
func (o *runOptions) defineRun(f *pflag.FlagSet) {
	o.streamOptions.defineRun(f)
	o.traceOptions.defineRun(f)
	o.debugOptions.defineRun(f)
}

// payload makes the API's document out of the flags. What is not in it, the daemon never learns.
func (o *runOptions) payload(ctx context.Context, a *app) (body engine.CreateRequest, err error) {
	_, sp := span.Start(ctx, stages.ClientPayload)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return body, err
	}
	o.client = a
	body.Image, body.Cmd = o.image, o.command
	for _, t := range o.topics() {
		if err := t.apply(&body); err != nil {
			return body, wrongUse(err, o.verb)
		}
	}
	return body, nil
}

// wrongUse is an error of the command line that showed only after all flags were read: docker's hint follows it, and the exit code is 125.
func wrongUse(err error, verb string) error {
	var e *exit
	if errors.As(err, &e) {
		return err
	}
	return &exit{125, fmt.Errorf("%w\n\nRun 'hull %s --help' for more information", err, verb)}
}
