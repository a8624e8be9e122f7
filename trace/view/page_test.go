package view_test

import (
	"fmt"
	"strings"
	"testing"

	"hull/trace/model"
	"hull/trace/model/modeltest"

	"github.com/stretchr/testify/require"
)

// TestBrowser shows pages in a real browser, one after the other: starting one is what takes time.
func TestBrowser(t *testing.T) {
	b := startBrowser(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *browser)
	}{
		{"page", testPage},
		{"keyboard", testKeyboard},
		{"address", testAddress},
		{"reparenting", testReparenting},
		{"search", testSearch},
		{"schemes", testSchemes},
		{"print", testPrint},
		{"claim against proof", testClaimAgainstProof},
		{"recorded runs", testRecorded},
		{"narrow", testNarrow},
		{"hostile names", testHostileNames},
		{"many events", testManyEvents},
		{"names for all", testNamesForAll},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, b) })
	}
}

func (b *browser) pressed(group string) string {
	return b.text("#" + group + " [aria-pressed=true]")
}

// testPage opens the page from disk as a reader does: a lane per process, a click explains a step.
func testPage(t *testing.T, b *browser) {
	run := modeltest.Run()
	b.open(t, save(t, run), 1280, 860, "light")
	b.picture("run-light")
	require.EqualValues(t, len(run.Processes)-1, b.eval("document.querySelectorAll('#gutter .lane').length"), "all but the shell")
	require.Contains(t, b.text("#figures"), fmt.Sprintf("%d steps", len(run.Spans)))
	require.Contains(t, b.text("#panel"), "One run, told twice")
	require.Equal(t, "story", b.pressed("levels"))

	// A real click, on the first step's bar: below the ruler, in the first lane's first row.
	box := b.eval("(({left, top, width}) => [left, top, width])(document.getElementById('canvas').getBoundingClientRect())").([]any)
	b.click(box[0].(float64)+box[2].(float64)/2, box[1].(float64)+16)
	require.Contains(t, b.text("#panel"), "client.command")
	require.Contains(t, b.text("#panel h2"), "The user's command starts")
	require.Contains(t, b.text("#panel"), "✓ proved")
	require.Contains(t, b.text("#said"), "client.command, proved")
	b.picture("run-selected")

	b.key("f")
	b.eval("window.before = document.getElementById('canvas').toDataURL(), true")
	changed := "document.getElementById('canvas').toDataURL() !== window.before"
	b.call("Input.dispatchMouseEvent", map[string]any{"type": "mouseWheel", "x": box[0].(float64) + 200, "y": box[1].(float64) + 100, "deltaX": 0, "deltaY": -240})
	b.frame()
	require.Equal(t, true, b.eval(changed), "the wheel zooms")
	b.key("3")
	require.EqualValues(t, len(run.Spans)+len(run.Events), b.eval("document.querySelectorAll('#table tbody tr').length"))
	b.picture("run-table")
	b.inert()
}

// testKeyboard walks through everything that keys do, on a real run.
func testKeyboard(t *testing.T, b *browser) {
	b.open(t, save(t, recorded(t, "run")), 1280, 860, "light")
	panel := func() string { return b.text("#panel") }

	b.key("j")
	require.Contains(t, panel(), "client.command")
	b.key("j")
	require.Contains(t, panel(), "client.create")
	b.key("k")
	require.Contains(t, panel(), "client.command")
	b.keys("j", "j", "p")
	require.Contains(t, panel(), "client.create", "P leads from daemon.create to what asked for it")
	b.key("Escape")
	require.Contains(t, panel(), "One run, told twice")

	// Events, from where the reader was.
	b.key(".")
	first := panel()
	require.Contains(t, first, "the kernel · ")
	b.key(".")
	require.NotEqual(t, first, panel())
	b.key(",")
	require.Equal(t, first, panel())
	require.Contains(t, b.text("#said"), "ms, ", "what was gone to is said")

	b.key("f")
	b.eval("window.picture = () => document.getElementById('canvas').toDataURL(), window.before = picture(), true")
	for _, k := range []string{"w", "a", "d", "s", "ArrowLeft", "ArrowRight", "+", "-"} {
		b.key("f")
		b.key(k)
		require.Equal(t, true, b.eval("picture() !== window.before"), "%s moves the picture", k)
	}
	b.key("f")
	require.Equal(t, false, b.eval("picture() !== window.before"), "F shows the whole run again")

	require.Equal(t, "story", b.pressed("levels"))
	drawn := func() float64 {
		return b.eval("Number(document.getElementById('canvas').dataset.drawn)").(float64)
	}
	story := drawn()
	b.key("l")
	require.Equal(t, "stages", b.pressed("levels"))
	b.keys("f", "x", "x")
	stages := drawn()
	require.Equal(t, "by event", b.pressed("axes"))
	require.Greater(t, stages, story)
	b.key("l")
	require.Equal(t, "system calls", b.pressed("levels"))
	require.Greater(t, drawn(), stages)
	b.picture("keyboard-calls-events")
	b.keys("l", "x")
	require.Equal(t, "story", b.pressed("levels"))
	require.Equal(t, "squeezed", b.pressed("axes"))

	b.key("2")
	require.Equal(t, "none", b.eval("getComputedStyle(document.getElementById('scroll')).display"))
	b.picture("keyboard-tree")
	b.key("3")
	require.Equal(t, "table", b.eval("document.activeElement.id"), "the table has the focus")
	b.key("1")
	require.Equal(t, "timeline", b.eval("document.body.dataset.view"))
	b.key("Enter")
	require.Equal(t, "panel", b.eval("document.activeElement.id"), "Enter reads")
	b.key("Escape")
	require.Equal(t, "canvas", b.eval("document.activeElement.id"), "Escape goes back")
	b.key("?")
	require.Contains(t, b.text("#help"), "zoom in")
	b.picture("keyboard-help")
	b.key("Escape")
	require.Equal(t, true, b.eval("document.getElementById('help').hidden"))
	b.key(" ")
	require.Equal(t, "true", b.eval("document.getElementById('play').getAttribute('aria-pressed')"))
	b.until("document.getElementById('panel').innerText.includes('the kernel · ')")
	b.key(" ")
	require.Equal(t, "false", b.eval("document.getElementById('play').getAttribute('aria-pressed')"))
	b.inert()
}

// testAddress: a link leads to a place, and the reader's place is a link.
func testAddress(t *testing.T, b *browser) {
	run := recorded(t, "run")
	var adopt model.Span
	for _, s := range run.Spans {
		if s.Name == "runc.init.pivot_root" {
			adopt = s
		}
	}
	from, to := adopt.Start-run.Start-2_000_000, adopt.End-run.Start+2_000_000
	file := save(t, run)
	place := fmt.Sprintf("#axis=real&level=stages&from=%d&to=%d&span=%s", from, to, adopt.ID)
	b.open(t, file+place, 1280, 860, "light")
	require.Equal(t, "real time", b.pressed("axes"))
	require.Equal(t, "stages", b.pressed("levels"))
	require.Contains(t, b.text("#panel"), "runc.init.pivot_root")
	b.picture("address")
	b.until(fmt.Sprintf("location.hash === %q", place))
	b.keys("2", "l")
	b.until("location.hash.includes('view=tree') && location.hash.includes('level=calls')")
	// A place that is none changes nothing, and breaks nothing.
	b.open(t, file+"#view=nothing&from=9&to=3&span=zz&event=999999999&level=%3Cscript%3E&axis", 1280, 860, "light")
	require.Equal(t, "story", b.pressed("levels"))
	require.Contains(t, b.text("#panel"), "One run, told twice")
	// A step that the first level does not show brings its own.
	b.open(t, file+"#span="+spanOf(t, run, "runc.init.hostname").ID, 1280, 860, "light")
	require.Equal(t, "stages", b.pressed("levels"))
	require.Contains(t, b.text("#panel"), "runc.init.hostname")
	b.inert()
}

func spanOf(t *testing.T, trace *model.Trace, name string) model.Span {
	for _, s := range trace.Spans {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no %s", name)
	return model.Span{}
}

// testReparenting steps over the moment at which the container gets its new parent: before it the parent is the runtime, at it the row moves to the
// shim, and stays there.
func testReparenting(t *testing.T, b *browser) {
	run := recorded(t, "run")
	var first model.Process
	for _, p := range run.Processes {
		if p.NSPID == 1 {
			first = p
		}
	}
	require.Len(t, first.Parents, 2)
	moved := -1
	for i, e := range run.Events {
		if e.Kind == "reparent" && e.Proc == first.Proc {
			moved = i
		}
	}
	require.Positive(t, moved)
	row := fmt.Sprintf("[...document.querySelectorAll('#treeRows li')].find((r) => r.innerText.includes('%d'))", first.Proc.PID)
	says := func(parent model.Parent, name string) {
		t.Helper()
		require.Contains(t, b.eval(row+".textContent"), fmt.Sprintf("child of %s %d", name, parent.Proc.PID))
		require.Contains(t, b.text("#treeAsks"), fmt.Sprintf("would tell %s %d", name, parent.Proc.PID))
	}
	b.open(t, save(t, run)+fmt.Sprintf("#view=tree&event=%d", moved), 1280, 860, "light")
	says(first.Parents[1], "hull-shim")
	b.key(",")
	says(first.Parents[0], "hull-runc")
	b.picture("tree-before")
	b.eval("window.row = " + row + ", true")
	b.eval("window.runs = 0, document.addEventListener('transitionrun', (e) => { if (row.contains(e.target)) window.runs++ }), true")
	b.key(".")
	says(first.Parents[1], "hull-shim")
	require.Equal(t, true, b.eval("window.row === "+row), "it is the same row")
	require.Contains(t, b.eval("row.className"), "moved")
	require.Contains(t, b.eval("row.innerText"), "new parent")
	require.Contains(t, b.text("#treeSays"), "is given to hull-shim")
	require.Equal(t, false, b.eval("row.querySelector('.was').hidden"), "a line leads to the parent that it had")
	b.until("window.runs > 0") // it glides
	b.picture("tree-moving")
	b.until("row.getAnimations({subtree: true}).length === 0")
	b.picture("tree-after")
	b.key(".")
	says(first.Parents[1], "hull-shim")
	require.NotContains(t, b.eval("row.className"), "moved")

	// Without motion it is a step.
	b.emulate("", "prefers-reduced-motion", "reduce")
	b.eval("window.runs = 0, true")
	b.keys(",", ",")
	says(first.Parents[0], "hull-runc")
	b.key(".")
	says(first.Parents[1], "hull-shim")
	require.EqualValues(t, 0, b.eval("window.runs"))
	require.EqualValues(t, 0, b.eval("document.getAnimations().length"))
	b.inert()
}

// testSearch finds by words, and goes there.
func testSearch(t *testing.T, b *browser) {
	b.open(t, save(t, recorded(t, "run")), 1280, 860, "light")
	b.key("/")
	require.Equal(t, "search", b.eval("document.activeElement.id"))
	b.call("Input.insertText", map[string]any{"text": "masked /proc/keys"})
	b.frame()
	require.Contains(t, b.text("#found"), "runc.init.masked_paths /proc/keys")
	b.picture("search")
	b.key("Enter")
	require.Contains(t, b.text("#panel"), "masked_paths /proc/keys")
	require.Equal(t, "stages", b.pressed("levels"), "the story does not show it")
	b.key("/")
	b.call("Input.insertText", map[string]any{"text": "wordthatisnowhere"})
	b.frame()
	require.Contains(t, b.text("#found"), "nothing found")
	b.key("Escape")
	require.Equal(t, true, b.eval("document.getElementById('found').hidden"))
	b.inert()
}

// testSchemes: the page follows the system, and a choice wins over it.
func testSchemes(t *testing.T, b *browser) {
	b.open(t, save(t, recorded(t, "run")), 1280, 860, "dark")
	paper := func() string { return b.eval("getComputedStyle(document.body).backgroundColor").(string) }
	dark := paper()
	b.picture("dark")
	b.emulate("", "prefers-color-scheme", "light")
	light := paper()
	require.NotEqual(t, dark, light)
	b.key("c")
	require.Equal(t, light, paper(), "chosen light")
	b.key("c")
	require.Equal(t, dark, paper(), "chosen dark")
	b.emulate("", "prefers-color-scheme", "dark")
	b.key("c")
	require.Equal(t, dark, paper(), "the system's")
	b.emulate("", "prefers-color-scheme", "light")
	require.Equal(t, light, paper())
	b.inert()
}

// testPrint: what is printed is light, without controls, and whole.
func testPrint(t *testing.T, b *browser) {
	b.open(t, save(t, recorded(t, "run"))+"#level=calls", 900, 700, "dark")
	lanes := b.eval("document.querySelectorAll('#gutter .lane').length").(float64)
	b.eval("dispatchEvent(new Event('beforeprint')), true")
	b.emulate("print")
	require.Equal(t, "none", b.eval("getComputedStyle(document.querySelector('nav')).display"))
	require.Equal(t, "rgb(253, 252, 249)", b.eval("getComputedStyle(document.body).backgroundColor"))
	require.Greater(t, b.eval("document.querySelectorAll('#gutter .lane').length"), lanes, "every lane, not only those in sight")
	b.picture("print")
	pdf := b.call("Page.printToPDF", map[string]any{"preferCSSPageSize": true})["data"].(string)
	require.Greater(t, len(pdf), 20_000)
	b.emulate("", "prefers-color-scheme", "dark")
	b.eval("dispatchEvent(new Event('afterprint')), true")
	require.Equal(t, "rgb(21, 24, 28)", b.eval("getComputedStyle(document.body).backgroundColor"))
	b.inert()
}

// testClaimAgainstProof: a step that was only claimed is told as such, with what is missing, by sign and word.
func testClaimAgainstProof(t *testing.T, b *browser) {
	liar := modeltest.Liar()
	var pivot model.Span
	for _, s := range liar.Spans {
		if s.Proof == model.Unproved {
			pivot = s
		}
	}
	b.open(t, save(t, liar)+"#span="+pivot.ID, 1280, 860, "dark")
	require.Contains(t, b.text("#panel .proof"), "✗ claimed, not proved")
	require.Contains(t, b.text("#panel .proof"), "no kernel.pivot_root in this process in this time")
	require.Contains(t, b.text("#said"), "claimed, not proved")
	require.Contains(t, b.text("#notes"), "12 kernel events")
	b.picture("liar-dark")
	b.key("3")
	require.Contains(t, b.text("tr.selected"), "claimed, not proved")
	b.inert()
}

// testRecorded opens every recorded run in every view, on every level and axis.
func testRecorded(t *testing.T, b *browser) {
	for _, name := range []string{"failed", "terminal", "docker"} {
		trace := recorded(t, name)
		b.open(t, save(t, trace), 1440, 900, "light")
		require.Contains(t, b.text("#figures"), fmt.Sprintf("%d steps", len(trace.Spans)))
		b.picture(name)
		b.keys("l", "x", ".", "2")
		b.inert()
	}
	failed := recorded(t, "failed")
	b.open(t, save(t, failed)+"#span="+spanOf(t, failed, "runc.init.program").ID, 1440, 900, "light")
	require.Contains(t, b.text("#panel"), "It failed.")
	require.Contains(t, b.text("#panel"), "executable file not found")
	b.picture("failed-selected")
	b.inert()
}

// testNarrow: on a small window the panel goes below the picture; a trace without kernel rows says so.
func testNarrow(t *testing.T, b *browser) {
	b.open(t, save(t, modeltest.Unseen()), 800, 900, "light")
	require.Contains(t, b.text("#notes"), "kernel rows absent: no BPF rights (EPERM)")
	require.Equal(t, true, b.eval("document.documentElement.scrollWidth <= 800"))
	require.Equal(t, true, b.eval("document.getElementById('panel').getBoundingClientRect().top > document.getElementById('scroll').getBoundingClientRect().bottom - 1"))
	b.key(".")
	require.Contains(t, b.text("#panel"), "client.command", "without events the keys go from step to step")
	b.picture("unseen-800")
	b.open(t, save(t, recorded(t, "run")), 800, 900, "light")
	b.picture("run-800")
	b.inert()
}

// testHostileNames: names that are markup, terminal controls and direction marks stay text, wherever they are shown.
func testHostileNames(t *testing.T, b *browser) {
	hostile := modeltest.Hostile()
	hostile.Processes[3].Execs = append(hostile.Processes[3].Execs, model.Exec{Time: hostile.Start, Exe: "/bin/\xff\xed\xa0\x80", Args: []string{"\x00\xc3", "</script>"}})
	b.open(t, save(t, hostile), 1280, 860, "dark")
	for range 6 { // steps and events, each in the panel and the tree
		b.keys(".", "j")
	}
	b.eval("document.querySelector('#gutter .lane').click()")
	b.keys("l", "l", "2")
	b.picture("hostile-tree")
	b.key("1")
	b.picture("hostile-dark")
	b.key("/")
	b.call("Input.insertText", map[string]any{"text": "script"})
	b.frame()
	require.Contains(t, b.text("#found"), "<script>")
	b.key("Escape")
	b.key("3")
	require.NotEqual(t, "pwned", b.eval("document.title"))
	require.EqualValues(t, 0, b.eval("document.querySelectorAll('img, body script:not(#trace):not([type=module])').length"))
	require.Contains(t, b.text("#table"), "<img src=x onerror=")
	require.NotContains(t, b.text("body"), "\u202e")
	b.inert()
}

// testManyEvents: of twenty thousand events and five hundred processes only what is in sight is drawn and in the page.
func testManyEvents(t *testing.T, b *browser) {
	many := manyEvents(20_000, 500)
	b.open(t, save(t, many), 1280, 860, "light")
	b.keys("l", "l")
	require.Equal(t, "system calls", b.pressed("levels"))
	size := func() (drawn, elements float64) {
		return b.eval("Number(document.getElementById('canvas').dataset.drawn)").(float64), b.eval("document.querySelectorAll('*').length").(float64)
	}
	check := func(what string) {
		t.Helper()
		drawn, elements := size()
		require.Positive(t, drawn, what)
		require.Less(t, drawn, 8000.0, what)
		require.Less(t, elements, 3000.0, what)
	}
	check("the whole run")
	b.picture("many")
	b.key("x")
	check("in real time")
	b.keys("x", "w", "w", "w", "w", "w", "w")
	check("by event, from near")
	b.eval("document.getElementById('scroll').scrollTop = 9000, true")
	b.frame()
	check("scrolled")
	require.Less(t, b.eval("document.querySelectorAll('#gutter .lane').length"), 40.0)
	b.keys(".", ".")
	check("stepping")
	b.keys("Escape", "3")
	require.EqualValues(t, 1000, b.eval("document.querySelectorAll('#table tbody tr').length"), "a page of the table")
	require.Contains(t, b.text(".turns"), fmt.Sprintf("of %d", len(many.Spans)+len(many.Events)))
	b.eval("[...document.querySelectorAll('.turns button')].find((x) => x.innerText === 'later').click()")
	require.Equal(t, "1002", b.eval("document.querySelector('#table tbody tr').getAttribute('aria-rowindex')"))
	b.inert()
}

// testNamesForAll: whoever does not see the page hears what each control is, finds headings and regions, and a table that is one.
func testNamesForAll(t *testing.T, b *browser) {
	b.open(t, save(t, recorded(t, "run")), 1280, 860, "light")
	b.keys("j", "?")
	b.named()
	b.keys("Escape", "2")
	b.named()
	require.NotEmpty(t, b.eval("document.querySelector('#treeRows').getAttribute('aria-label')"))
	b.key("3")
	require.Equal(t, true, b.eval("[...document.querySelectorAll('#table thead th')].every((h) => h.scope === 'col')"))
	require.Equal(t, true, b.eval("[...document.querySelectorAll('#table tbody tr')].every((r) => r.querySelector('th[scope=row] button'))"))
	require.Equal(t, true, b.eval("document.querySelector('#table caption') !== null"))
	require.EqualValues(t, 1, b.eval("document.querySelectorAll('h1').length"))
	require.Equal(t, "en", b.eval("document.documentElement.lang"))
	// Tab reaches the controls in the order in which they stand.
	b.key("1")
	b.eval("document.activeElement.blur(), document.getElementById('views').firstChild.focus(), true")
	order := []string{}
	for range 13 {
		order = append(order, b.eval("document.activeElement.id || document.activeElement.parentElement.id").(string))
		b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9})
		b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9})
	}
	require.Equal(t, "views views views levels levels levels axes axes axes search play fit scheme", strings.Join(order, " "))
	b.inert()
}

// named asks the browser's own accessibility tree: no control without a name.
func (b *browser) named() {
	b.t.Helper()
	controls := 0
	for _, n := range b.call("Accessibility.getFullAXTree", nil)["nodes"].([]any) {
		node := n.(map[string]any)
		role, _ := node["role"].(map[string]any)
		switch role["value"] {
		case "button", "textbox", "searchbox", "link", "img", "image", "dialog", "table", "region", "complementary", "navigation", "heading":
		default:
			continue
		}
		controls++
		name, _ := node["name"].(map[string]any)
		text, _ := name["value"].(string)
		require.NotEmpty(b.t, strings.TrimSpace(text), "%v", node)
	}
	require.Greater(b.t, controls, 10)
}
