package access_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/access"
)

const token = "a-long-shared-token"

// fixture is a guard with a clock that the test moves.
type fixture struct {
	*access.Guard
	dir string

	mu     sync.Mutex
	now    time.Time
	events []string
}

func (f *fixture) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func newFixture(t *testing.T, dir string, change func(*access.Config)) *fixture {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	f := &fixture{dir: dir, now: time.UnixMilli(1_800_000_000_000)}
	cfg := access.Config{
		StateDir: dir,
		Secret:   func() access.Secret { return access.Secret{Mode: access.ModeToken, Token: token} },
		Publish: func(name string, _ any) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.events = append(f.events, name)
		},
		Now: func() time.Time {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.now
		},
	}
	if change != nil {
		change(&cfg)
	}
	g, err := access.NewGuard(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.Guard = g
	return f
}

// attempt is one wish to connect.
type attempt struct {
	remote, host, origin string
	noDevice             bool
	key                  ed25519.PrivateKey
	change               func(*protocol.ConnectParams)
	sign                 func(*protocol.Claim)
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (f *fixture) admit(t *testing.T, a attempt) (access.Grant, *protocol.Error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Host = "127.0.0.1:5555", "127.0.0.1:18789"
	if a.remote != "" {
		r.RemoteAddr = a.remote
	}
	if a.host != "" {
		r.Host = a.host
	}
	if a.origin != "" {
		r.Header.Set("Origin", a.origin)
	}
	p := protocol.ConnectParams{
		MinProtocol: 3, MaxProtocol: 3, Role: protocol.RoleOperator, Scopes: []protocol.Scope{protocol.ScopeAdmin},
		Client: protocol.ClientInfo{ID: protocol.ClientTest, Version: "1", Platform: "linux", Mode: protocol.ModeTest},
		Auth:   &protocol.Auth{Token: token},
	}
	if a.change != nil {
		a.change(&p)
	}
	if !a.noDevice {
		if a.key == nil {
			a.key = newKey(t)
		}
		f.mu.Lock()
		now := f.now
		f.mu.Unlock()
		c := protocol.Claim{
			ClientID: p.Client.ID, ClientMode: p.Client.Mode, Role: p.Role, Scopes: p.Scopes, SignedAtMS: now.UnixMilli(), Nonce: "nonce",
		}
		if c.Role == "" {
			c.Role = protocol.RoleOperator
		}
		if p.Auth != nil {
			c.Token = p.Auth.Token
		}
		if a.sign != nil {
			a.sign(&c)
		}
		p.Device = c.Sign(a.key)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // delays of refusals are not waited for
	return f.Admit(ctx, access.Request{Peer: f.Peer(r), Nonce: "nonce", Params: &p})
}

func auth(token string) func(*protocol.ConnectParams) {
	return func(p *protocol.ConnectParams) { p.Auth = &protocol.Auth{Token: token} }
}

func TestRefusals(t *testing.T) {
	const mismatch = "unauthorized: gateway token mismatch (provide gateway auth token)"
	tests := []struct {
		name    string
		attempt attempt
		want    string
		code    protocol.ErrorCode
	}{
		{"wrong token", attempt{change: auth("wrong")}, mismatch, protocol.CodeInvalidRequest},
		{"wrong token without device", attempt{noDevice: true, change: auth("wrong")}, mismatch, protocol.CodeInvalidRequest},
		{"empty token", attempt{change: auth("")}, "unauthorized: gateway token missing (provide gateway auth token)", protocol.CodeInvalidRequest},
		{"nothing at all", attempt{noDevice: true, change: func(p *protocol.ConnectParams) { p.Auth = nil }}, "device identity required", protocol.CodeNotPaired},
		{"password instead", attempt{change: func(p *protocol.ConnectParams) { p.Auth = &protocol.Auth{Password: token} }}, "unauthorized: gateway token missing (provide gateway auth token)", protocol.CodeInvalidRequest},
		{"role", attempt{noDevice: true, change: func(p *protocol.ConnectParams) { p.Role = "admin" }}, "invalid role", protocol.CodeInvalidRequest},
		{"stale signature", attempt{sign: func(c *protocol.Claim) { c.SignedAtMS -= 600_001 }}, "device signature expired", protocol.CodeInvalidRequest},
		{"signature from the future", attempt{sign: func(c *protocol.Claim) { c.SignedAtMS += 600_001 }}, "device signature expired", protocol.CodeInvalidRequest},
		{"replayed nonce", attempt{sign: func(c *protocol.Claim) { c.Nonce = "other" }}, "device nonce mismatch", protocol.CodeInvalidRequest},
		{"no nonce from afar", attempt{remote: "192.0.2.7:1", sign: func(c *protocol.Claim) { c.Nonce = "" }}, "device nonce required", protocol.CodeInvalidRequest},
		{"signed other scopes", attempt{sign: func(c *protocol.Claim) { c.Scopes = nil }}, "device signature invalid", protocol.CodeInvalidRequest},
		{"signed other token", attempt{sign: func(c *protocol.Claim) { c.Token = "x" }}, "device signature invalid", protocol.CodeInvalidRequest},
		{"signed other role", attempt{sign: func(c *protocol.Claim) { c.Role = protocol.RoleNode }}, "device signature invalid", protocol.CodeInvalidRequest},
		{"remote and unpaired", attempt{remote: "192.0.2.7:1"}, "pairing required", protocol.CodeNotPaired},
		{"loopback under a foreign name", attempt{host: "evil.example:18789"}, "pairing required", protocol.CodeNotPaired},
		{"foreign page", attempt{origin: "https://evil.example"}, "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)", protocol.CodeInvalidRequest},
		{"page that made our name its own", attempt{origin: "http://evil.example:18789", host: "evil.example:18789"}, "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)", protocol.CodeInvalidRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, "", nil)
			_, err := f.admit(t, tt.attempt)
			if err == nil {
				t.Fatal("got in")
			}
			if err.Message != tt.want || err.Code != tt.code {
				t.Errorf("got  %s %q\nwant %s %q", err.Code, err.Message, tt.code, tt.want)
			}
		})
	}
}

func TestScopesThatAreGranted(t *testing.T) {
	tests := []struct {
		name  string
		role  protocol.Role
		asked []protocol.Scope
		want  []protocol.Scope
	}{
		{"none is admin", protocol.RoleOperator, nil, []protocol.Scope{protocol.ScopeAdmin}},
		{"as asked", protocol.RoleOperator, []protocol.Scope{protocol.ScopeRead}, []protocol.Scope{protocol.ScopeRead}},
		{"no role", "", nil, []protocol.Scope{protocol.ScopeAdmin}},
		{"unknown names are nothing", protocol.RoleOperator, []protocol.Scope{"operator.root", "agent"}, []protocol.Scope{}},
		{"nodes have none", protocol.RoleNode, []protocol.Scope{protocol.ScopeAdmin}, []protocol.Scope{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, "", nil)
			got, err := f.admit(t, attempt{change: func(p *protocol.ConnectParams) { p.Role, p.Scopes = tt.role, tt.asked }})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Scopes, tt.want) {
				t.Errorf("got %v, want %v", got.Scopes, tt.want)
			}
		})
	}
}

func TestDeviceTokenReplacesTheSharedOne(t *testing.T) {
	f := newFixture(t, "", nil)
	key := newKey(t)
	read := func(p *protocol.ConnectParams) { p.Scopes = []protocol.Scope{protocol.ScopeRead} }
	first, err := f.admit(t, attempt{key: key, change: read})
	if err != nil {
		t.Fatal(err)
	}
	if first.Auth == nil || len(first.Auth.DeviceToken) != 32 {
		t.Fatalf("got %+v, want a token", first.Auth)
	}
	with := func(scopes ...protocol.Scope) func(*protocol.ConnectParams) {
		return func(p *protocol.ConnectParams) {
			p.Auth = &protocol.Auth{Token: first.Auth.DeviceToken}
			p.Scopes = scopes
		}
	}
	again, err := f.admit(t, attempt{key: key, change: with(protocol.ScopeRead), remote: "192.0.2.7:1"})
	if err != nil {
		t.Fatal(err)
	}
	if again.Method != "device-token" || again.Auth.DeviceToken != first.Auth.DeviceToken {
		t.Errorf("got %+v", again)
	}
	if _, err := f.admit(t, attempt{key: key, change: with(protocol.ScopeAdmin)}); err == nil || !strings.Contains(err.Message, "mismatch") {
		t.Errorf("a token wider than one's own: got %v", err)
	}
	if _, err := f.admit(t, attempt{change: with(protocol.ScopeRead)}); err == nil || !strings.Contains(err.Message, "mismatch") {
		t.Errorf("somebody else's token: got %v", err)
	}
}

func TestLocalDevicesArePairedSilently(t *testing.T) {
	f := newFixture(t, "", nil)
	key := newKey(t)
	if _, err := f.admit(t, attempt{key: key}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.events, []string{protocol.EventDevicePairResolved}) {
		t.Errorf("got events %v", f.events)
	}
	// Paired now: also from elsewhere, without a question.
	if _, err := f.admit(t, attempt{key: key, remote: "192.0.2.7:1"}); err != nil {
		t.Errorf("paired device from elsewhere: %v", err)
	}
	// But not in another role.
	_, err := f.admit(t, attempt{key: key, remote: "192.0.2.7:1", change: func(p *protocol.ConnectParams) { p.Role = protocol.RoleNode }})
	if err == nil || err.Code != protocol.CodeNotPaired {
		t.Errorf("another role: got %v", err)
	}
}

func TestPairingRequestIsKept(t *testing.T) {
	f := newFixture(t, "", nil)
	key := newKey(t)
	ask := func() string {
		_, err := f.admit(t, attempt{key: key, remote: "192.0.2.7:1"})
		if err == nil {
			t.Fatal("got in")
		}
		var d struct{ RequestID string }
		if e := json.Unmarshal(err.Details, &d); e != nil || d.RequestID == "" {
			t.Fatalf("details %s: %v", err.Details, e)
		}
		return d.RequestID
	}
	first := ask()
	if again := ask(); again != first {
		t.Errorf("a repeated wish got request %s, want %s", again, first)
	}
	if len(f.events) != 1 {
		t.Errorf("got events %v, want one", f.events)
	}
	f.advance(access.PendingLife)
	if later := ask(); later == first {
		t.Error("an old request was used again")
	}
}

func TestTicketIsGoodOnce(t *testing.T) {
	f := newFixture(t, "", nil)
	ticket, until := f.Ticket()
	if want := f.now.Add(access.TicketLife); !until.Equal(want) {
		t.Errorf("good until %v, want %v", until, want)
	}
	page := func(ticket string) attempt {
		return attempt{origin: "http://127.0.0.1:18789", change: func(p *protocol.ConnectParams) {
			p.Client.ID, p.Client.Mode = protocol.ClientControlUI, protocol.ModeWebChat
			p.Auth = &protocol.Auth{Token: ticket}
		}}
	}
	remote := page(ticket)
	remote.remote = "192.0.2.7:1"
	remote.origin, remote.host = "", ""
	remote.change = auth(ticket)
	if _, err := f.admit(t, remote); err == nil || err.Message != "pairing required" {
		t.Errorf("from elsewhere: got %v", err)
	}
	g, err := f.admit(t, page(ticket))
	if err != nil {
		t.Fatal(err)
	}
	if g.Method != "ticket" || g.Auth == nil {
		t.Errorf("got %+v", g)
	}
	if _, err := f.admit(t, page(ticket)); err == nil {
		t.Error("a ticket was good twice")
	}
	late, _ := f.Ticket()
	f.advance(access.TicketLife)
	if _, err := f.admit(t, page(late)); err == nil {
		t.Error("a ticket was good too long")
	}
}

func TestTicketRaceHasOneWinner(t *testing.T) {
	f := newFixture(t, "", nil)
	ticket, _ := f.Ticket()
	keys := []ed25519.PrivateKey{newKey(t), newKey(t), newKey(t), newKey(t)}
	var wg sync.WaitGroup
	won := make(chan bool, len(keys))
	for _, key := range keys {
		wg.Go(func() {
			_, err := f.admit(t, attempt{key: key, change: auth(ticket)})
			won <- err == nil
		})
	}
	wg.Wait()
	close(won)
	n := 0
	for w := range won {
		if w {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d got in with one ticket", n)
	}
}

func TestGuessingIsLockedOut(t *testing.T) {
	f := newFixture(t, "", nil)
	key := newKey(t)
	if _, err := f.admit(t, attempt{key: key}); err != nil {
		t.Fatal(err)
	}
	for range access.FailuresBeforeLockout {
		_, err := f.admit(t, attempt{noDevice: true, change: auth("guess")})
		if err == nil || !strings.Contains(err.Message, "mismatch") {
			t.Fatalf("got %v", err)
		}
	}
	_, err := f.admit(t, attempt{noDevice: true})
	if err == nil || err.RetryAfterMS == nil || *err.RetryAfterMS <= 0 {
		t.Fatalf("the right token after too many wrong ones: got %v, want a lockout", err)
	}
	if _, err := f.admit(t, attempt{key: key}); err != nil {
		t.Errorf("a paired device is locked out too: %v", err)
	}
	if _, err := f.admit(t, attempt{noDevice: true, remote: "[::1]:9"}); err != nil {
		t.Errorf("another address is locked out too: %v", err)
	}
	f.advance(time.Minute)
	if _, err := f.admit(t, attempt{noDevice: true}); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestHints(t *testing.T) {
	tests := []struct {
		name   string
		secret access.Secret
		client protocol.ClientInfo
		origin string
		want   string
	}{
		{"cli", access.Secret{Mode: access.ModeToken, Token: token}, protocol.ClientInfo{ID: protocol.ClientCLI, Mode: protocol.ModeCLI}, "", "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)"},
		{"page", access.Secret{Mode: access.ModeToken, Token: token}, protocol.ClientInfo{ID: protocol.ClientControlUI, Mode: protocol.ModeUI}, "http://127.0.0.1:18789", "unauthorized: gateway token mismatch (open the dashboard URL and paste the token in Control UI settings)"},
		{"password", access.Secret{Mode: access.ModePassword, Password: "p"}, protocol.ClientInfo{ID: protocol.ClientTest, Mode: protocol.ModeTest}, "", "unauthorized: gateway password missing (provide gateway auth password)"},
		{"nothing configured", access.Secret{Mode: access.ModeToken}, protocol.ClientInfo{ID: protocol.ClientTest, Mode: protocol.ModeTest}, "", "unauthorized: gateway token not configured on gateway (set gateway.auth.token)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, "", func(c *access.Config) { c.Secret = func() access.Secret { return tt.secret } })
			_, err := f.admit(t, attempt{origin: tt.origin, change: func(p *protocol.ConnectParams) {
				p.Client.ID, p.Client.Mode = tt.client.ID, tt.client.Mode
				p.Auth = &protocol.Auth{Token: "wrong"}
			}})
			if err == nil || err.Message != tt.want {
				t.Errorf("got  %v\nwant %q", err, tt.want)
			}
		})
	}
}

func TestStoresSurvive(t *testing.T) {
	dir := t.TempDir()
	key := newKey(t)
	f := newFixture(t, dir, nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	first, refused := f.admit(t, attempt{key: key})
	if refused != nil {
		t.Fatal(refused)
	}
	f.admit(t, attempt{remote: "192.0.2.7:1"})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"paired.json", "pending.json"} {
		info, err := os.Stat(filepath.Join(dir, "devices", name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	g := newFixture(t, dir, nil)
	again, refused := g.admit(t, attempt{key: key, remote: "192.0.2.7:1", change: auth(first.Auth.DeviceToken)})
	if refused != nil {
		t.Fatal(refused)
	}
	if again.Method != "device-token" {
		t.Errorf("got in by %s", again.Method)
	}
}

func TestDamagedStoreIsPutAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "devices", "paired.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"torn`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, dir, nil)
	if _, err := f.admit(t, attempt{}); err != nil {
		t.Errorf("got %v", err)
	}
	if kept, err := os.ReadFile(path + ".unreadable"); err != nil || string(kept) != `{"torn` {
		t.Errorf("kept %q, %v", kept, err)
	}
}

func TestBearer(t *testing.T) {
	f := newFixture(t, "", nil)
	ask := func(header string) bool {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.RemoteAddr = "192.0.2.7:1"
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		return f.Bearer(r)
	}
	if !ask("Bearer " + token) {
		t.Error("the right secret was refused")
	}
	for _, h := range []string{"", "Bearer ", "Bearer wrong", "Basic " + token, token} {
		if ask(h) {
			t.Errorf("%q was accepted", h)
		}
	}
	for range access.FailuresBeforeLockout {
		ask("Bearer wrong")
	}
	if ask("Bearer " + token) {
		t.Error("a guesser was not locked out")
	}
}
