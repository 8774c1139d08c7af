package gateway

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// The table crosses role and scope with every method that has a right, and
// with some that have none.
func TestRightsOfEveryMethod(t *testing.T) {
	m := newMethods()
	names := []string{"config.get", "sessions.patch", "workers.kill", "dashboard.ticket", "no.such.method"}
	for name := range m.rights {
		names = append(names, name)
		m.add(method{name: name})
	}
	for _, name := range names[:4] {
		m.add(method{name: name})
	}
	scopes := []protocol.Scope{
		protocol.ScopeRead, protocol.ScopeWrite, protocol.ScopeApprovals, protocol.ScopePairing, protocol.ScopeAdmin, protocol.ScopeAgent, "operator.root", "",
	}
	for _, name := range names {
		need := m.rightFor(name)
		for _, role := range []protocol.Role{protocol.RoleOperator, protocol.RoleNode} {
			for _, held := range scopes {
				_, err := m.find(&Caller{Role: role, Scopes: []protocol.Scope{held}}, name)
				may := need.role == role && (role == protocol.RoleNode || held == protocol.ScopeAdmin || held == need.scope ||
					need.scope == protocol.ScopeRead && held == protocol.ScopeWrite)
				switch {
				case may && err != nil && err.Message != "unknown method: "+name:
					t.Errorf("%s with %q: %s is refused: %v", role, held, name, err)
				case !may && err == nil:
					t.Errorf("%s with %q may call %s", role, held, name)
				case !may && role != need.role && err.Message != "unauthorized role: "+string(role):
					t.Errorf("%s: got %q", name, err.Message)
				case !may && role == need.role && err.Message != "missing scope: "+string(need.scope):
					t.Errorf("%s: got %q", name, err.Message)
				}
			}
		}
	}
}

// The rights are those that the protocol publishes.
func TestRightsAreTheProtocols(t *testing.T) {
	path := sharedFile(t, "protocol", "methods.json")
	if path == "" {
		t.Skip("no protocol data beside the project")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Methods []struct {
			Method string
			Roles  []protocol.Role
			Scope  *protocol.Scope
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Methods) < 80 {
		t.Fatalf("got %d methods", len(doc.Methods))
	}
	m := newMethods()
	for _, row := range doc.Methods {
		if row.Method == protocol.MethodConnect {
			continue
		}
		need := m.rightFor(row.Method)
		if !slices.Equal(row.Roles, []protocol.Role{need.role}) || row.Scope != nil && *row.Scope != need.scope {
			t.Errorf("%s: got %+v, want %v %v", row.Method, need, row.Roles, row.Scope)
		}
	}
}

func sharedFile(tb testing.TB, parts ...string) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for up := ""; up != dir; {
		path := filepath.Join(append([]string{dir, "..", "shared"}, parts...)...)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		dir, up = filepath.Dir(dir), dir
	}
	return ""
}

func TestMethodTwicePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("registered a method twice")
		}
	}()
	m := newMethods()
	m.add(method{name: "health"})
	m.add(method{name: "health"})
}
