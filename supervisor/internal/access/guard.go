package access

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Config is what a Guard needs. The funcs are asked at every decision, so
// that a changed setting counts at once; nil ones stand for nothing.
type Config struct {
	// StateDir holds the folder devices.
	StateDir string
	Secret   func() Secret
	// AllowedOrigins are pages that may connect although they are not ours.
	AllowedOrigins func() []string
	// TrustedProxies are addresses whose forwarding headers are believed.
	TrustedProxies func() []netip.Addr
	// InsecurePage lets the Control UI in without a device.
	InsecurePage func() bool
	// Publish tells pairing events to operators.
	Publish func(event string, payload any)
	Log     *slog.Logger
	Now     func() time.Time
}

// Guard decides who gets in.
type Guard struct {
	cfg      Config
	store    *store
	tickets  *tickets
	throttle *throttle
}

// NewGuard reads the device stores. It starts nothing.
func NewGuard(cfg Config) (*Guard, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Secret == nil {
		cfg.Secret = func() Secret { return Secret{} }
	}
	if cfg.AllowedOrigins == nil {
		cfg.AllowedOrigins = func() []string { return nil }
	}
	if cfg.TrustedProxies == nil {
		cfg.TrustedProxies = func() []netip.Addr { return nil }
	}
	if cfg.InsecurePage == nil {
		cfg.InsecurePage = func() bool { return false }
	}
	if cfg.Publish == nil {
		cfg.Publish = func(string, any) {}
	}
	s, err := openStore(filepath.Join(cfg.StateDir, "devices"), cfg.Log)
	if err != nil {
		return nil, err
	}
	return &Guard{cfg: cfg, store: s, tickets: newTickets(), throttle: newThrottle()}, nil
}

// Run writes changes of the device stores until ctx is done; the last ones
// are written before it returns.
func (g *Guard) Run(ctx context.Context) error { return g.store.run(ctx) }

// Peer reads who is at the other end of a request.
func (g *Guard) Peer(r *http.Request) Peer { return NewPeer(r, g.cfg.TrustedProxies()) }

// HostKnown says whether a request that a browser sent may be served at all.
func (g *Guard) HostKnown(p Peer) bool { return p.KnowsHost(g.cfg.AllowedOrigins()) }

// OriginAllowed says whether the peer's page, if it is one, may speak.
func (g *Guard) OriginAllowed(p Peer) bool {
	return !p.HasOrigin || p.OriginAllowed(g.cfg.AllowedOrigins())
}

// Ticket mints a dashboard ticket: good once, for TicketLife.
func (g *Guard) Ticket() (ticket string, until time.Time) { return g.tickets.mint(g.cfg.Now()) }

// Bearer says whether an HTTP request carries the shared secret. Wrong ones
// count as guesses; a locked out address is refused whatever it sends.
func (g *Guard) Bearer(r *http.Request) bool {
	p, now := g.Peer(r), g.cfg.Now()
	got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || g.throttle.lockedFor(p.Addr, now) > 0 {
		return false
	}
	if matches(g.cfg.Secret().want(), strings.TrimSpace(got)) {
		return true
	}
	g.throttle.fail(p.Addr, now)
	return false
}

// Request is a client's wish to connect. Params passed the schema; Nonce is
// that of the challenge.
type Request struct {
	Peer   Peer
	Nonce  string
	Params *protocol.ConnectParams
}

// Grant is what a client was given.
type Grant struct {
	Role     protocol.Role
	Scopes   []protocol.Scope
	DeviceID string
	// Auth is the device token for hello-ok, nil without a device.
	Auth *protocol.IssuedAuth
	// Method is how the client proved itself: token, password, ticket or
	// device-token.
	Method string
	Local  bool
}

const (
	originRefused   = "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)"
	needsSecurePage = "control ui requires HTTPS or localhost (secure context)"
)

// Admit decides. The error is what the client is told before it is closed.
// Repeated wrong secrets make it wait, but never beyond ctx.
func (g *Guard) Admit(ctx context.Context, r Request) (Grant, *protocol.Error) {
	p := r.Params
	role := p.Role
	if role == "" {
		role = protocol.RoleOperator
	}
	if role != protocol.RoleOperator && role != protocol.RoleNode {
		return Grant{}, protocol.Invalid("invalid role")
	}
	scopes := grantable(p.Scopes)
	switch {
	case role == protocol.RoleNode:
		scopes = []protocol.Scope{}
	case len(p.Scopes) == 0:
		scopes = []protocol.Scope{protocol.ScopeAdmin}
	}
	if r.Peer.HasOrigin || isBrowser(p.Client) {
		if !r.Peer.OriginAllowed(g.cfg.AllowedOrigins()) {
			return Grant{}, protocol.Invalid("%s", originRefused)
		}
	}
	grant := Grant{Role: role, Scopes: scopes, Local: r.Peer.LocalDirect()}
	if p.Device == nil {
		return g.admitStranger(ctx, r, grant)
	}
	return g.admitDevice(ctx, r, grant)
}

// admitStranger lets a program without a device in on the shared secret.
func (g *Guard) admitStranger(ctx context.Context, r Request, grant Grant) (Grant, *protocol.Error) {
	p, secret := r.Params, g.cfg.Secret()
	if p.Client.ID == protocol.ClientControlUI && !g.cfg.InsecurePage() {
		return Grant{}, protocol.Invalid("%s", needsSecurePage)
	}
	got := secret.given(p.Auth)
	if got == "" {
		return Grant{}, &protocol.Error{Code: protocol.CodeNotPaired, Message: "device identity required"}
	}
	if err := g.locked(r.Peer); err != nil {
		return Grant{}, err
	}
	if !matches(secret.want(), got) {
		return Grant{}, g.refuse(ctx, r, secret, got)
	}
	grant.Method = string(secret.Mode)
	return grant, nil
}

// admitDevice lets a device in on the shared secret, a ticket or its token,
// when it is paired or may be paired without asking.
func (g *Guard) admitDevice(ctx context.Context, r Request, grant Grant) (Grant, *protocol.Error) {
	p, secret, now := r.Params, g.cfg.Secret(), g.cfg.Now()
	key, refusal := verifyDevice(p, grant.Role, r.Nonce, grant.Local, now)
	if refusal != nil {
		return Grant{}, refusal
	}
	a := applicant{
		id: p.Device.ID, key: protocol.EncodeKey(key), role: grant.Role, scopes: grant.Scopes,
		client: p.Client, addr: r.Peer.Addr.String(),
	}
	if !g.store.known(a.id, a.key) {
		if err := g.locked(r.Peer); err != nil {
			return Grant{}, err
		}
	}
	got, token := secret.given(p.Auth), ""
	if p.Auth != nil {
		token = p.Auth.Token
	}
	switch {
	case matches(secret.want(), got):
		grant.Method = string(secret.Mode)
	case g.tickets.valid(token, now):
		grant.Method = "ticket"
	case token != "" && g.store.tokenValid(a, token):
		grant.Method = "device-token"
	default:
		return Grant{}, g.refuse(ctx, r, secret, got)
	}
	if !g.store.approved(a) {
		if !grant.Local || grant.Method == "device-token" {
			return Grant{}, g.askPairing(a)
		}
	}
	if grant.Method == "ticket" && !g.tickets.take(token, now) {
		return Grant{}, g.refuse(ctx, r, secret, got)
	}
	g.pairSilently(a)
	t := g.store.issue(a, now.UnixMilli())
	grant.DeviceID = a.id
	if t.Token != "" {
		issued := t.CreatedAtMS
		if t.RotatedAtMS != 0 {
			issued = t.RotatedAtMS
		}
		grant.Auth = &protocol.IssuedAuth{DeviceToken: t.Token, Role: grant.Role, Scopes: t.Scopes, IssuedAtMS: issued}
	}
	return grant, nil
}

// pairSilently pairs a device that needs it and says so.
func (g *Guard) pairSilently(a applicant) {
	if g.store.approved(a) {
		return
	}
	nowMS := g.cfg.Now().UnixMilli()
	g.store.approve(a, nowMS)
	g.cfg.Log.Info("device paired", "device", a.id, "role", a.role, "local", true)
	g.cfg.Publish(protocol.EventDevicePairResolved, protocol.DevicePairResolution{
		RequestID: uuid.NewString(), DeviceID: a.id, Decision: "approved", TS: nowMS,
	})
}

// askPairing files the request and tells operators of a new one.
func (g *Guard) askPairing(a applicant) *protocol.Error {
	req, created := g.store.request(a, g.cfg.Now().UnixMilli())
	if created {
		g.cfg.Log.Info("device asks for pairing", "device", a.id, "role", a.role, "request", req.RequestID)
		g.cfg.Publish(protocol.EventDevicePairRequest, req)
	}
	e := &protocol.Error{Code: protocol.CodeNotPaired, Message: "pairing required"}
	return e.WithDetails(map[string]string{"requestId": req.RequestID})
}

// locked refuses an address that guessed too often.
func (g *Guard) locked(p Peer) *protocol.Error {
	left := g.throttle.lockedFor(p.Addr, g.cfg.Now())
	if left <= 0 {
		return nil
	}
	return protocol.Invalid("unauthorized: too many failed attempts from this address (try again in a minute)").
		WithRetry(true, left.Milliseconds())
}

// refuse words the refusal of a secret. A wrong one is counted and, when
// there were many, answered late.
func (g *Guard) refuse(ctx context.Context, r Request, secret Secret, got string) *protocol.Error {
	if got != "" && secret.want() != "" {
		if d := g.throttle.fail(r.Peer.Addr, g.cfg.Now()); d > 0 {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		}
	}
	return secret.refusal(r.Params.Client, got)
}
