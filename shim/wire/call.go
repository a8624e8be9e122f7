package wire

// The messages in which ttrpc carries a call (ttrpc, request.proto).

type Request struct {
	Service     string // "containerd.task.v2.Task"
	Method      string
	Payload     []byte
	TimeoutNano int64 // how long the caller waits; 0 is for ever
	Metadata    []*KeyValue
}

func (m *Request) fields(c *codec) {
	c.string(1, &m.Service)
	c.string(2, &m.Method)
	c.bytes(3, &m.Payload)
	c.int64(4, &m.TimeoutNano)
	many(c, 5, &m.Metadata)
}

type KeyValue struct{ Key, Value string }

func (m *KeyValue) fields(c *codec) {
	c.string(1, &m.Key)
	c.string(2, &m.Value)
}

type Response struct {
	Status  *CallStatus // none is success
	Payload []byte
}

func (m *Response) fields(c *codec) {
	one(c, 1, &m.Status)
	c.bytes(2, &m.Payload)
}

// A CallStatus is how a call ended: google.rpc.Status. Code is a number of gRPC's list of codes.
type CallStatus struct {
	Code    int32
	Message string
	Details []*Any
}

func (m *CallStatus) fields(c *codec) {
	c.int32(1, &m.Code)
	c.string(2, &m.Message)
	many(c, 3, &m.Details)
}
