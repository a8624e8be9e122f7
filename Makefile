# hull's targets. `make` alone explains them. Everything is built without cgo into bin/; a target's own files are below .hull/ and demo/.
export CGO_ENABLED := 0
GO      ?= go
GOFLAGS ?= -trimpath

.DEFAULT_GOAL := help
.PHONY: help build demo picture viewer check test attacks bench soak fuzz test-vm generate clean verbs conformance man

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: bin/tiny.tar ## Build all binaries into bin/, and the image hull/tiny
	$(GO) build $(GOFLAGS) -o bin/ $(wildcard ./cmd/hull ./cmd/hull-* ./cmd/hulld)

# hull/tiny: u-root's tools, which cmd/tiny/go.mod lists, and the programs in cmd/tiny's own folders, as one binary with many names.
bin/tiny: $(shell find cmd/tiny -type f)
	@mkdir -p bin
	cd cmd/tiny && $(GO) tool makebb -o $(CURDIR)/$@ $$($(GO) list tool | grep -v /makebb$$) $$(printf './%s ' */)

bin/tiny.tar: bin/tiny $(wildcard cmd/tiny-image/*.go)
	$(GO) run ./cmd/tiny-image -program bin/tiny -o $@

demo: build ## Run one traced container in a private root (needs root), and leave its trace in demo/
	$(GO) build $(GOFLAGS) -o bin/demo ./cmd/demo
	@bin/demo

# The busybox of HULL_TOOLS, under the name that everybody knows.
picture: export HULL_ROOT := /tmp/hull-picture
picture: build ## Take docs/trace.png anew: the page of a real run of busybox, in Chromium (needs root)
	@[ -n "$$HULL_TOOLS" ] || .ci/peers busybox-static
	@mkdir -p $(HULL_ROOT)
	$(GO) run ./cmd/tiny-image -name busybox:latest -program $${HULL_TOOLS:-.hull/tools}/bin/busybox -o $(HULL_ROOT)/busybox.tar
	@PATH=$(CURDIR)/bin:$$PATH; trap 'hull down; rm -rf $(HULL_ROOT)' EXIT; hull up && hull load -i $(HULL_ROOT)/busybox.tar && \
	  hull run --rm --network none busybox true && hull run --rm --network none --trace busybox echo hi 2>/dev/null && hull trace export -o $(HULL_ROOT)/trace.html last && \
	  chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --user-data-dir=$(HULL_ROOT)/chromium \
	    --window-size=1280,900 --screenshot=$(CURDIR)/docs/trace.png file://$(HULL_ROOT)/trace.html 2>$(HULL_ROOT)/chromium.log || { cat $(HULL_ROOT)/chromium.log >&2; exit 1; }

viewer: ## Test the page of a trace: its parts in node, the whole in Chromium
	$(GO) run ./cmd/testsum -as viewer ./trace/view ./trace/export

check: ## Check format, vet (amd64 and arm64), staticcheck, imports and dependencies: fast, no root
	@unformatted="$$($(GO) tool gofumpt -l .)"; [ -z "$$unformatted" ] || { echo "gofumpt: not formatted:"; echo "$$unformatted"; exit 1; }
	GOARCH=amd64 $(GO) vet ./...
	GOARCH=arm64 $(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test ./docs ./stages

# What a machine of CI must have: there a test that lacks it fails instead of being skipped. On your own machine the list is empty.
HULL_REQUIRE ?=
export HULL_REQUIRE

test: check ## Run everything CI runs (needs root): fetch the foreign parts, check, all tests, a summary
	@[ -n "$$HULL_TOOLS" ] || .ci/peers
	$(GO) run ./cmd/testsum ./...

verbs: ## Run the sessions that test every verb, and hold them against docker (needs root; docs/verbs.md)
	@[ -n "$$HULL_TOOLS" ] || .ci/peers
	@$(GO) run ./cmd/verbs

attacks: export HULL_ATTACK_ROUNDS := $(or $(ROUNDS),1000)
attacks: ## Try every attack of docs/attacks.md, races in their long form (needs root): make attacks ROUNDS=1000
	@[ -n "$$HULL_TOOLS" ] || .ci/peers
	@$(GO) run ./cmd/attacks

conformance: ## Run the OCI runtime-tools validation suite against hull-runc (needs root; docs/conformance.txt): make conformance RUN=hooks
	@[ -n "$$HULL_TOOLS" ] || .ci/peers busybox-static
	@$(GO) run ./cmd/conformance -run '$(RUN)'

# What the bench runs beside ours, and what those need.
BENCH_PEERS := containerd runc crun busybox-static docker.io libyajl2 libseccomp2 podman conmon golang-github-containers-common \
	golang-github-containers-image containernetworking-plugins iptables libip4tc2 libip6tc2 libxtables12 libnftnl11 libnetfilter-conntrack3 \
	libnfnetlink0 libsubid4 libgpgme11 libassuan0

bench: build ## Measure hull beside docker, podman, ctr, runc and crun (needs root), and write docs/performance.md
	@[ -n "$$HULL_TOOLS" ] || .ci/peers $(BENCH_PEERS)
	$(GO) run ./cmd/bench -write docs/performance.md

soak: ## Run the tests again and again until one fails (needs root): make soak RUNS=20
	@[ -n "$$HULL_TOOLS" ] || .ci/peers
	$(GO) test -count=$(or $(RUNS),10) -timeout 4h -failfast ./...

test-vm: ## Run the kernel tests of the runtime, the tracer and the engine on Linux 6.1 with cgroup v2, in a QEMU guest
	@[ -n "$$HULL_TOOLS" ] || .ci/peers
	@.ci/vm-parts
	@HULL_VM_TESTS=all HULL_REQUIRE=qemu,vm,whole-vm $(GO) run ./cmd/testsum -as vm -timeout 90m ./runc/vmtest

FUZZTIME ?= 30s

fuzz: ## Run every fuzz target for a while: make fuzz FUZZTIME=30s (what it finds stays below testdata/fuzz as a test)
	@grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' . | wc -l | xargs printf 'fuzz: %s targets, $(FUZZTIME) each\n'
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' . | sort | sed 's|/[^/]*:func | |' | while read -r folder target; do \
	  echo "fuzz: $$folder $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$folder </dev/null || exit 1; done

generate: ## Make the generated files anew: docs, BPF objects (needs clang)
	$(GO) generate ./...

man: ## Write the manual pages into man/
	$(GO) run ./cmd/man man

clean: ## Remove what make made
	@if [ -e .hull/demo ] && [ -x bin/hull ]; then bin/hull --root .hull/demo down; fi
	rm -rf bin demo man .hull/demo
