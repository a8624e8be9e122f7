package shimproc

import (
	"testing"

	bootstrap "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

func TestAnswers(t *testing.T) {
	want := Address{Version: 2, Address: "unix:///run/s/1", Protocol: "ttrpc"}
	message, err := proto.Marshal(&bootstrap.BootstrapResult{Version: 2, Address: "unix:///run/s/1", Protocol: "ttrpc"})
	require.NoError(t, err)
	for _, answer := range []string{"unix:///run/s/1", "unix:///run/s/1\n", `{"version":2,"address":"unix:///run/s/1","protocol":"ttrpc"}`, string(message)} {
		a, err := parse([]byte(answer))
		require.NoError(t, err, "%q", answer)
		require.Equal(t, want, a)
	}
	for _, answer := range []string{
		"", " \n", "{", "{}", "hello", "\x01\x02", "tcp://1.2.3.4:5", "unix://relative", "unix://@abstract", "unix:///a\x00b",
		`{"version":3,"address":"unix:///run/s/1","protocol":"ttrpc"}`, `{"version":2,"address":"unix:///run/s/1","protocol":"grpc"}`,
	} {
		_, err := parse([]byte(answer))
		require.Error(t, err, "%q", answer)
	}
}
