package collect

import "hull/trace/model"

type pusher struct{}

func newPusher(endpoint string) (*pusher, error) { return nil, nil }
func (p *pusher) take(t *model.Trace)            {}
func (p *pusher) close()                         {}
