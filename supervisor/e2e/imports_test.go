package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// mod is the prefix of every module of this workspace.
const mod = "github.com/openclaw/openclaw-supervisor/"

// rule says what the packages below From may import of ours, and which packages they
// must not import at all. The first rule whose From matches holds.
type rule struct {
	From string
	// Ours are the prefixes below mod that may be imported, besides the package's own module.
	Ours []string
	// OwnModule says that packages of the same module may be imported freely.
	OwnModule bool
	// Never are prefixes of anybody's packages that must not be imported.
	Never []string
	// StdOnly says that nothing but the standard library may be imported.
	StdOnly bool
	Why     string
}

var chatLibraries = []string{"github.com/mymmrac/telego", "github.com/bwmarrin/discordgo", "go.mau.fi/whatsmeow"}
var modelSDKs = []string{"github.com/openai/", "github.com/anthropics/"}

var rules = []rule{
	{From: "clientws/protocol", StdOnly: true, Why: "the types of the protocol are for everybody, and do no I/O"},
	{From: "clientws/json5", Never: slices.Concat(chatLibraries, modelSDKs, []string{"github.com/alecthomas"}), Why: "a document is a leaf"},
	{From: "clientws/config", Ours: []string{"clientws/json5"}, Never: []string{"github.com/coder/websocket"}, Why: "reading a config needs no connection"},
	{From: "clientws", OwnModule: true, Never: slices.Concat(chatLibraries, modelSDKs, []string{"google.golang.org/grpc"}), Why: "clients know the WebSocket and the config file, not the workers' line"},
	{From: "proto/gen", OwnModule: true, Why: "generated code knows its contracts"},
	{From: "proto/sdk", OwnModule: true, Never: slices.Concat(chatLibraries, modelSDKs), Why: "the SDK is all that a plugin author imports"},
	{From: "proto/examples/echo", Ours: []string{"proto/sdk"}, OwnModule: true, Why: "the example is what a stranger could have written"},
	{From: "workers/fakenet/cmd/faultworker", Ours: []string{"proto/sdk"}, Why: "the fault worker is a plugin"},
	{From: "workers/fakenet", OwnModule: true, Never: slices.Concat(chatLibraries, modelSDKs), Why: "a fake is written from the network's side and shares no code with the client"},
	{From: "workers/telegram", Ours: []string{"proto/sdk"}, OwnModule: true, Why: "a worker is exactly what a stranger's plugin is"},
	{From: "agentd", Ours: []string{"proto/sdk"}, OwnModule: true, Never: chatLibraries, Why: "the agent runtime knows no chat network"},
	{From: "supervisor/e2e", Ours: []string{"clientws", "workers/fakenet", "proto/sdk"}, OwnModule: true, Why: "every binary is built and executed, not imported"},
	{From: "supervisor", Ours: []string{"proto/sdk", "clientws/protocol", "clientws/config", "clientws/json5"}, OwnModule: true, Never: slices.Concat(chatLibraries, modelSDKs),
		Why: "the supervisor links no chat library and no model SDK"},
}

// floors are the supervisor's packages from the top down; a package imports only floors below its own.
var floors = [][]string{
	{"testkit"},
	{"app"},
	{"gateway", "controlui"},
	{"router"},
	{"command"},
	{"lane", "run"},
	{"outbox", "inbox", "worker"},
	{"catalog"},
	{"session", "access", "pairing", "lease", "health", "event", "config", "logfile"},
	{"journal"},
	{"clock"},
}

type listed struct {
	ImportPath   string
	Name         string
	Doc          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Module       struct{ Path string }
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Doc,GoFiles,Imports,TestImports,XTestImports,Module", "work")
	cmd.Dir = repoRoot(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func below(p, prefix string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }

// TestImports holds every module to the import rules.
func TestImports(t *testing.T) {
	for _, p := range listPackages(t) {
		rel := strings.TrimPrefix(p.ImportPath, mod)
		t.Run(rel, func(t *testing.T) {
			i := slices.IndexFunc(rules, func(r rule) bool { return below(rel, r.From) })
			if i < 0 {
				t.Fatalf("no rule covers %s: add one, with its reason", rel)
			}
			r := rules[i]
			for _, imp := range p.Imports {
				checkImport(t, r, p, imp)
			}
		})
	}
}

func checkImport(t *testing.T, r rule, p listed, imp string) {
	t.Helper()
	std := !strings.Contains(strings.Split(imp, "/")[0], ".")
	if std {
		return
	}
	rel, ours := strings.CutPrefix(imp, mod)
	own := ours && below(imp, p.Module.Path)
	switch {
	case r.StdOnly:
		t.Errorf("imports %s: %s", imp, r.Why)
	case slices.ContainsFunc(r.Never, func(n string) bool { return strings.HasPrefix(imp, n) }):
		t.Errorf("imports %s: %s", imp, r.Why)
	case ours && own && (r.OwnModule || below(rel, r.From)):
	case ours && slices.ContainsFunc(r.Ours, func(o string) bool { return below(rel, o) }):
	case ours:
		t.Errorf("imports %s: %s", imp, r.Why)
	}
	if ours && strings.HasPrefix(rel, "proto/gen/") && !strings.HasPrefix(p.ImportPath, mod+"proto/") {
		t.Errorf("imports %s: generated code is seen by the SDK's adapters only", imp)
	}
}

// TestFloors holds the supervisor's packages to their floors: arrows point downward only.
func TestFloors(t *testing.T) {
	floorOf := func(p string) (string, int) {
		rel, ok := strings.CutPrefix(p, mod+"supervisor/internal/")
		if !ok {
			return "", -1
		}
		name, _, _ := strings.Cut(rel, "/")
		for i, f := range floors {
			if slices.Contains(f, name) {
				return name, i
			}
		}
		return name, -2
	}
	for _, p := range listPackages(t) {
		name, from := floorOf(p.ImportPath)
		if from == -1 {
			continue
		}
		if from == -2 {
			t.Errorf("package %s stands on no floor", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			other, to := floorOf(imp)
			if to < 0 || other == name {
				continue
			}
			sameRoom := name == "run" && other == "lane" || name == "lane" && other == "run"
			if to < from || to == from && !sameRoom {
				t.Errorf("%s imports %s, which is not below it", strings.TrimPrefix(p.ImportPath, mod), strings.TrimPrefix(imp, mod))
			}
			if (name == "router" || name == "worker") && (other == "worker" || other == "router") {
				t.Errorf("%s imports %s: the app joins router and worker, they never meet", name, other)
			}
		}
	}
}

// TestEachPackageSaysWhatItIs asks one package comment of every package.
func TestEachPackageSaysWhatItIs(t *testing.T) {
	for _, p := range listPackages(t) {
		if strings.Contains(p.ImportPath, "/proto/gen/") || p.ImportPath == path.Join(strings.TrimSuffix(mod, "/"), "supervisor/e2e") {
			continue
		}
		if len(p.GoFiles) > 0 && strings.TrimSpace(p.Doc) == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}
