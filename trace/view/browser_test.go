package view_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// A browser is a headless Chromium driven by its DevTools protocol over two pipes: descriptors 3 and 4 of the browser, one JSON object
// and a zero byte per message (--remote-debugging-pipe). It has no port and needs no library.
type browser struct {
	t        *testing.T
	to       *os.File
	from     *bufio.Reader
	id       int
	session  string
	requests []string // what the page asked the network for
	console  []string // errors, among them violations of the page's own security policy
}

// startBrowser starts a browser that ends with the test.
func startBrowser(t *testing.T) *browser {
	probetest.Need(t, "chromium")
	theirRead, to, err := os.Pipe()
	require.NoError(t, err)
	from, theirWrite, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
		"--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{theirRead, theirWrite}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	theirRead.Close()
	theirWrite.Close()
	t.Cleanup(func() {
		to.Close()
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the browser's helpers as well
		cmd.Wait()
		from.Close()
	})
	return &browser{t: t, to: to, from: bufio.NewReaderSize(from, 1<<20)}
}

// open shows a page from disk in a new tab of the given size, and waits until it has drawn.
func (b *browser) open(t *testing.T, file string, width, height int, scheme string) {
	b.t, b.session, b.requests, b.console = t, "", nil, nil
	target := b.call("Target.createTarget", map[string]any{"url": "about:blank"})["targetId"]
	b.session = b.call("Target.attachToTarget", map[string]any{"targetId": target, "flatten": true})["sessionId"].(string)
	for _, domain := range []string{"Page", "Runtime", "Network", "Log", "Accessibility"} {
		b.call(domain+".enable", nil)
	}
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false})
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}})
	b.call("Page.navigate", map[string]any{"url": "file://" + file})
	b.until("document.body?.dataset.ready === 'yes'")
}

// emulate changes what the page is told of its reader: the scheme, the medium, the wish for less motion.
func (b *browser) emulate(medium string, features ...string) {
	b.t.Helper()
	list := []any{}
	for i := 0; i+1 < len(features); i += 2 {
		list = append(list, map[string]any{"name": features[i], "value": features[i+1]})
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": medium, "features": list})
	b.frame()
}

// call sends one command and returns its result; events that come meanwhile are noted.
func (b *browser) call(method string, params map[string]any) map[string]any {
	b.t.Helper()
	b.id++
	message := map[string]any{"id": b.id, "method": method, "params": params}
	if params == nil {
		message["params"] = map[string]any{}
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	require.NoError(b.t, err)
	_, err = b.to.Write(append(text, 0))
	require.NoError(b.t, err)
	for {
		raw, err := b.from.ReadBytes(0)
		require.NoError(b.t, err, "the browser left")
		var answer struct {
			ID     int
			Method string
			Params json.RawMessage
			Result map[string]any
			Error  *struct{ Message string }
		}
		require.NoError(b.t, json.Unmarshal(raw[:len(raw)-1], &answer))
		switch answer.Method {
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			require.NoError(b.t, json.Unmarshal(answer.Params, &p))
			b.requests = append(b.requests, p.Request.URL)
		case "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled":
			b.console = append(b.console, string(answer.Params))
		}
		if answer.ID == b.id {
			require.Nil(b.t, answer.Error, "%s: %v", method, answer.Error)
			return answer.Result
		}
	}
}

// eval is the value of a JavaScript expression in the page.
func (b *browser) eval(expression string) any {
	b.t.Helper()
	result := b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true})
	require.NotContains(b.t, result, "exceptionDetails", "%s: %v", expression, result["exceptionDetails"])
	value, _ := result["result"].(map[string]any)
	return value["value"]
}

// until polls the page: a foreign program's readiness.
func (b *browser) until(expression string) {
	b.t.Helper()
	for range 600 {
		if b.eval(expression) == true {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("never became true: %s; the page says %v", expression, b.console)
}

// frame waits until what was asked for has been drawn.
func (b *browser) frame() {
	b.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
}

func (b *browser) click(x, y float64) {
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1})
	}
	b.frame()
}

// keys presses one key after the other.
func (b *browser) keys(keys ...string) {
	for _, k := range keys {
		b.key(k)
	}
}

func (b *browser) key(key string) {
	text := key
	if len(key) > 1 {
		text = ""
	}
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key, "text": text})
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key})
	b.frame()
}

// text is what an element shows.
func (b *browser) text(selector string) string {
	b.t.Helper()
	s, _ := b.eval(fmt.Sprintf("document.querySelector(%q).innerText", selector)).(string)
	return s
}

// picture saves a screenshot in the directory that HULL_ARTEFACTS names; without it nothing is kept.
func (b *browser) picture(name string) {
	dir := os.Getenv("HULL_ARTEFACTS")
	if dir == "" {
		return
	}
	b.frame()
	data := b.call("Page.captureScreenshot", map[string]any{"format": "png"})["data"].(string)
	png, err := base64.StdEncoding.DecodeString(data)
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
}

// inert asserts that the page did nothing but show itself: no request beyond the file, no error, no foreign script.
func (b *browser) inert() {
	b.t.Helper()
	for _, url := range b.requests {
		require.True(b.t, strings.HasPrefix(url, "file:///") || strings.HasPrefix(url, "data:,"), "the page asked for %s", url)
	}
	require.Empty(b.t, b.console)
}
