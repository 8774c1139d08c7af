# The two commands of a fresh machine are `make run` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN     := bin
TOOLS   := $(BIN)/tools
VERSION ?= $(shell git describe --tags --always 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
GOBUILD := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
BUILT   := $(TOOLS)/buf $(TOOLS)/protoc-gen-go $(TOOLS)/protoc-gen-go-grpc $(TOOLS)/golangci-lint

.PHONY: help build run test race e2e conformance lint proto proto-check bench check cross clean

help: ## say what each target does
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | column -t -s "$$(printf '\t')"

build: ## build every binary into bin/, the example plugin into bin/plugins/
	@mkdir -p $(BIN)/plugins
	$(GOBUILD) -o $(BIN)/ ./clientws/cmd/openclaw ./supervisor/cmd/openclaw-supervisor ./agentd/cmd/openclaw-agentd ./workers/telegram/cmd/openclaw-channel-telegram
	$(GOBUILD) -o $(BIN)/plugins/ ./proto/examples/echo/cmd/openclaw-channel-echo

run: build ## build, start the supervisor with the embedded defaults, say how to talk to it
	$(BIN)/openclaw-supervisor --allow-unconfigured

# -count=1: the end-to-end tests build and run the programs themselves, which the cache of results does not see.
test: ## run every test, end to end and conformance included
	go vet work
	go test -count=1 work

race: ## run every test under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -count=1 -race work

e2e: ## run the end-to-end tests alone: real binaries, fake networks, real signals
	go test -count=1 -v ./supervisor/e2e/...

conformance: ## run the protocol's conformance cases alone
	go test -count=1 -v -run 'TestConformance' ./supervisor/e2e/...

bench: build ## print our figures beside the bars
	go test -run '^$$' -bench . -benchtime 1x -timeout 30m ./supervisor/e2e/...

lint: $(TOOLS)/golangci-lint ## run the linters
	@for m in $$(go list -m -f '{{.Dir}}'); do (cd $$m && $(CURDIR)/$(TOOLS)/golangci-lint run --config $(CURDIR)/.golangci.yml ./...) || exit 1; done

proto: $(BUILT) ## lint the contracts and generate their code
	$(TOOLS)/buf lint
	$(TOOLS)/buf generate

proto-check: $(BUILT) ## fail when the generated code or the contracts have drifted
	$(TOOLS)/buf lint
	@if git rev-parse -q --verify HEAD >/dev/null && git cat-file -e HEAD:buf.yaml 2>/dev/null; then $(TOOLS)/buf breaking --against '.git#branch=HEAD'; fi
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && cp -r proto/gen "$$tmp/gen" && $(TOOLS)/buf generate && \
	  diff -r "$$tmp/gen" proto/gen || { echo 'the generated code had drifted from the contracts: commit what make proto wrote' >&2; exit 1; }

check: test lint proto-check ## what must hold before a change lands

cross: ## vet what must build on other systems
	GOOS=darwin go vet work
	GOOS=windows go vet ./proto/sdk/... ./clientws/...

$(BUILT) &: proto/tools/go.mod
	@mkdir -p $(TOOLS)
	cd proto/tools && GOWORK=off go build -o $(CURDIR)/$(TOOLS)/ tool

clean: ## remove what was built
	rm -rf $(BIN)
