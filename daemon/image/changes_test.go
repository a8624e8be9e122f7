package image

import (
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"hull/stages"
)

func TestChange(t *testing.T) {
	var c dockerspec.DockerOCIImageConfig
	require.NoError(t, Change(&c, []string{
		`CMD ["a", "b c"]`, `entrypoint run it`, `ENV A=1 B="two words" C=x\ y`, `ENV A 3 4`, `EXPOSE 80 53/udp`, `LABEL k="v"`, `VOLUME ["/d", "/e f"]`,
		`WORKDIR /a`, `WORKDIR b/../c`, `USER u:g`, `STOPSIGNAL SIGQUIT`, `ONBUILD RUN x`,
	}))
	require.Equal(t, []string{"a", "b c"}, c.Cmd)
	require.Equal(t, []string{"/bin/sh", "-c", "run it"}, c.Entrypoint)
	require.Equal(t, []string{"A=3 4", "B=two words", "C=x y"}, c.Env)
	require.Equal(t, map[string]struct{}{"80/tcp": {}, "53/udp": {}}, c.ExposedPorts)
	require.Equal(t, map[string]struct{}{"/d": {}, "/e f": {}}, c.Volumes)
	require.Equal(t, map[string]string{"k": "v"}, c.Labels)
	require.Equal(t, []string{"/a/c", "u:g", "SIGQUIT"}, []string{c.WorkingDir, c.User, c.StopSignal})
	require.Equal(t, []string{"RUN x"}, c.OnBuild)
	for line, want := range map[string]string{
		"": "says nothing", "CMD": "says nothing", "RUN ls": "run is not a valid change command", `ENV A="x`: "not closed", "ENV A": "no value", "LABEL a=1 b": "not KEY=VALUE",
	} {
		err := Change(&c, []string{line})
		require.ErrorContains(t, err, want, line)
		require.Equal(t, stages.Invalid, stages.KindOf(err))
	}
}
