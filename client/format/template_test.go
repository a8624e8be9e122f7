package format

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
)

const sample = `{"Id":"abcdef0123456789","Name":"/web","State":{"Status":"running","Running":true,"Pid":1234,"Ratio":0.5},
"Config":{"Cmd":["sh","-c","echo <hi>"],"Labels":{"b":"2","a.b":"1"},"Env":[]},"Mounts":[{"Source":"/a"},{"Source":"/b"}],"Empty":"","Zero":0}`

// TestLikeTextTemplate runs templates through text/template as well, on the same document: output and errors are the same.
func TestLikeTextTemplate(t *testing.T) {
	ours, err := Decode([]byte(sample))
	require.NoError(t, err)
	d := json.NewDecoder(strings.NewReader(sample))
	d.UseNumber()
	var theirs any
	require.NoError(t, d.Decode(&theirs))
	theirs = whole(theirs)
	docker := template.FuncMap{
		"json":  func(v any) string { b, _ := json.Marshal(v); return string(b) },
		"upper": strings.ToUpper, "lower": strings.ToLower, "title": title, "split": strings.Split,
		"join": func(list []any, sep string) string { s, _ := join([]any{list, sep}); return s.(string) },
	}
	for _, text := range []string{
		``, `plain`, `{{.Name}}`, `{{.State.Pid}} {{.State.Ratio}}`, `{{index .Config.Cmd 2}}`, `{{index .Config.Labels "a.b"}}`, `{{index .Config "x"}}`,
		`{{(index .Mounts 1).Source}}`, `{{range .Mounts}}{{.Source}},{{end}}`, `{{range $i, $m := .Mounts}}{{if $i}};{{end}}{{$i}}={{$m.Source}}{{end}}`,
		`{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}`, `{{range .Config.Env}}x{{else}}none{{end}}`, `{{with .State}}{{.Status}}{{end}}`,
		`{{with .Empty}}x{{else}}empty{{end}}`, `{{if .State.Running}}up{{else if .Zero}}zero{{else}}down{{end}}`, `{{if and .State.Running (eq .State.Pid 1234)}}y{{end}}`,
		`{{or .Empty .Zero "last"}}`, `{{not .Empty}}`, `{{printf "%05d %q" .State.Pid .Name}}`, `{{.Name | upper | printf "%s!"}}`, `{{len .Config.Cmd}} {{len .Name}}`,
		`{{slice .Id 0 12}}`, `{{println .Name 1 "x"}}`, `{{print 1 2 "a" "b" 3}}`, `{{.Config.Cmd}} {{.Config.Labels}}`, `{{$x := .State.Pid}}{{$x}} {{$.Name}}`,
		`{{$x := 1}}{{range .Mounts}}{{$x = .Source}}{{end}}{{$x}}`, `{{range .Mounts}}{{if eq .Source "/a"}}{{continue}}{{end}}{{.Source}}{{break}}{{end}}`,
		`{{define "t"}}<{{.}}>{{end}}{{template "t" .Name}}`, `{{block "b" .State}}{{.Status}}{{end}}`, `a {{- " b " -}} c`, `{{/* nothing */}}{{"q"}}`, `{{true}} {{1.5}} {{0x10}} {{'a'}}`,
		`{{eq .Name "x" "/web"}} {{ne 1 2}} {{lt 1 2}} {{ge "b" "a"}} {{le 1.5 1.5}}`, `{{title "hello world"}}`, `{{join .Config.Cmd "-"}}`, `{{html "<a>"}} {{urlquery "a b"}}`,
		`{{range 3}}{{.}}{{end}}`, `{{json .State.Running}} {{json .Config.Env}}`, `{{split "a:b" ":"}}`,
		// errors
		`{{.Nope}}`, `{{.State.Nope.X}}`, `{{.Name.X}}`, `{{index .Config.Cmd 7}}`, `{{index .Config.Cmd "x"}}`, `{{nil}}`, `{{1 2}}`, `{{template "no"}}`,
		`{{.Name "x"}}`, `{{slice .Id 5 3}}`, `{{lt 1 "a"}}`, `{{len 3}}`, `{{lt true false}}`,
		`{{`, `{{end}}`, `{{nosuch 1}}`, `{{if}}x{{end}}`, `{{$nope}}`, `{{.a b}}`, `{{"x}}`, `{{range}}`, `{{break}}`,
	} {
		var want, got bytes.Buffer
		their, wantErr := template.New("").Funcs(docker).Option("missingkey=error").Parse(text)
		if wantErr == nil {
			wantErr = their.Execute(&want, theirs)
		}
		our, gotErr := Parse(text)
		if gotErr == nil {
			gotErr = our.Execute(&got, ours)
		}
		require.Equal(t, wantErr == nil, gotErr == nil, "%s: %v, want %v", text, gotErr, wantErr)
		if wantErr != nil { // the place is the same; the words are, where no Go type is in them
			place, _, _ := strings.Cut(wantErr.Error(), ": error calling")
			place, _, _ = strings.Cut(place, "in type ")
			place, _, _ = strings.Cut(place, "can't give argument")
			place, _, _ = strings.Cut(place, "Name is not a method")
			place, _, _ = strings.Cut(place, "Name has arguments")
			place, _, _ = strings.Cut(place, "nil is not")
			require.Contains(t, gotErr.Error(), place, text)
			continue
		}
		require.Equal(t, want.String(), got.String(), text)
	}
}

// whole turns numbers into integers where they are, as docker's structures have them.
func whole(v any) any {
	switch x := v.(type) {
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return int(n)
		}
		f, _ := x.Float64()
		return f
	case map[string]any:
		for k, e := range x {
			x[k] = whole(e)
		}
	case []any:
		for i, e := range x {
			x[i] = whole(e)
		}
	}
	return v
}

func execute(t *testing.T, text string, data any) string {
	t.Helper()
	tmpl, err := Parse(text)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, tmpl.Execute(&b, data), text)
	return b.String()
}

func TestDockersFunctions(t *testing.T) {
	v, err := Decode([]byte(`{"Id":"x","NanoCpus":5,"Z":{"b":1,"a":"<&>"},"Labels":null,"PidsLimit":null,"Binds":null,"N":12345678901234567890}`))
	require.NoError(t, err)
	for text, want := range map[string]string{
		`{{.ID}} {{.NanoCPUs}}`:                 "x 5",
		`{{json .Z}}`:                           `{"b":1,"a":"<&>"}`,
		`{{json .}}`:                            `{"Id":"x","NanoCpus":5,"Z":{"b":1,"a":"<&>"},"Labels":null,"PidsLimit":null,"Binds":null,"N":12345678901234567000}`,
		`{{.Labels}} {{.PidsLimit}} {{.Binds}}`: "map[] <nil> []",
		`{{range .Binds}}x{{end}}{{with .Labels}}x{{end}}{{len .Labels}}`: "0",
		`{{index .Labels "x"}}`:                       "<no value>",
		`{{pad "a" 1 2}}|{{pad "" 1 2}}|`:             " a  ||",
		`{{truncate "abcdef" 3}} {{truncate "ab" 3}}`: "abc ab",
		`{{range split "a,b" ","}}{{.}};{{end}}`:      "a;b;",
		`{{join .Binds ","}}`:                         "",
	} {
		require.Equal(t, want, execute(t, text, v), text)
	}
	_, err = Decode([]byte(`{} {}`))
	require.Error(t, err)
	_, err = Decode([]byte(`{"a":`))
	require.Error(t, err)
}

func TestList(t *testing.T) {
	l := List{Heads: map[string]string{"ID": "CONTAINER ID", "Names": "NAMES", "Image": "IMAGE"}, Table: "{{.ID}}\t{{.Names}}", Raw: "id: {{.ID}}"}
	rows := []Row{
		{"container", map[string]any{"ID": "1", "Names": "a-rather-long-name", "Image": "busybox"}, map[string]func(string) string{"Label": func(k string) string { return k + "!" }}},
		{"container", map[string]any{"ID": "2", "Names": "b", "Image": "hull/tiny"}, nil},
	}
	for format, want := range map[string]string{
		"":                                   "CONTAINER ID   NAMES\n1              a-rather-long-name\n2              b\n",
		"table":                              "CONTAINER ID   NAMES\n1              a-rather-long-name\n2              b\n",
		`table {{.Names}}\t{{upper .Image}}`: "NAMES                IMAGE\na-rather-long-name   BUSYBOX\nb                    HULL/TINY\n",
		"json":                               `{"ID":"1","Image":"busybox","Names":"a-rather-long-name"}` + "\n" + `{"ID":"2","Image":"hull/tiny","Names":"b"}` + "\n",
		"raw":                                "id: 1\nid: 2\n",
		`{{.ID}}\t{{.Names}}`:                "1\ta-rather-long-name\n2\tb\n",
	} {
		var b bytes.Buffer
		require.NoError(t, l.Print(&b, format, rows))
		require.Equal(t, want, b.String(), format)
	}
	var b bytes.Buffer
	require.NoError(t, l.Print(&b, `table {{.Label "com.a_b"}}`, rows[:1]))
	require.Equal(t, "a b\ncom.a_b!\n", b.String())
	require.EqualError(t, l.Print(&b, "{{.Nope}}", rows), `failed to execute template: template: :1:2: executing "" at <.Nope>: can't evaluate field Nope in type container`)
	require.EqualError(t, l.Print(&b, "{{", rows), "failed to parse template: template: :1: unclosed action")
}
