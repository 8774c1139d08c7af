package gateway

import (
	"encoding/json"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/access"
)

const (
	presenceLife = 5 * time.Minute
	presenceRows = 200
)

// presence keeps the rows of system-presence: this gateway, clients that are
// or were connected, and what system-event told of. Rows are kept rendered.
type presence struct {
	now func() time.Time

	mu      sync.Mutex // guards below
	self    protocol.PresenceEntry
	rows    map[string]*presenceRow
	version uint64
	cached  json.RawMessage // nil when a row has changed
}

type presenceRow struct {
	entry protocol.PresenceEntry
	raw   json.RawMessage
	conns int // connections of this client
}

func newPresence(host, version string, now func() time.Time) *presence {
	ip := hostAddr()
	where := host
	if ip != "" {
		where += " (" + ip + ")"
	}
	return &presence{
		now: now, rows: make(map[string]*presenceRow), version: 1,
		self: protocol.PresenceEntry{
			Host: host, IP: ip, Version: version, Platform: runtime.GOOS, DeviceFamily: family(runtime.GOOS),
			ModelIdentifier: runtime.GOARCH, Mode: "gateway", Reason: "self",
			Text: fmt.Sprintf("Gateway: %s · app %s · mode gateway · reason self", where, version),
		},
	}
}

func family(goos string) string {
	switch goos {
	case "darwin":
		return "Mac"
	case "windows":
		return "Windows"
	}
	return "Linux"
}

// hostAddr is this machine's first address that others may know it by.
func hostAddr() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return ""
}

// clientKey names a client's row.
func clientKey(c Caller) string {
	key := c.DeviceID
	if key == "" {
		key = c.Client.InstanceID
	}
	if key == "" {
		key = clientHost(c.Client)
	}
	return strings.ToLower(key)
}

func clientHost(c protocol.ClientInfo) string {
	if c.DisplayName != "" {
		return c.DisplayName
	}
	return string(c.ID)
}

// tracked says whether a client has a row at all: those of the command line
// come and go too fast to be of interest.
func tracked(c Caller) bool {
	return c.Client.Mode != protocol.ModeCLI && c.Client.ID != protocol.ClientCLI
}

// connect adds or renews a client's row. It is told to others only by the
// snapshots they take.
func (p *presence) connect(c Caller, g access.Grant, peer access.Peer) {
	if !tracked(c) {
		return
	}
	e := protocol.PresenceEntry{
		Host: clientHost(c.Client), Version: c.Client.Version, Platform: c.Client.Platform, DeviceFamily: c.Client.DeviceFamily,
		ModelIdentifier: c.Client.ModelIdentifier, Mode: string(c.Client.Mode), Reason: "connect",
		DeviceID: c.DeviceID, InstanceID: c.DeviceID, Roles: []string{string(g.Role)}, Scopes: toStrings(g.Scopes),
	}
	if e.InstanceID == "" {
		e.InstanceID = c.Client.InstanceID
	}
	where := e.Host
	if !g.Local && peer.Addr.IsValid() {
		e.IP = peer.Addr.String()
		where += " (" + e.IP + ")"
	}
	e.Text = fmt.Sprintf("Node: %s · mode %s", where, e.Mode)
	p.mu.Lock()
	defer p.mu.Unlock()
	row := p.put(clientKey(c), e)
	row.conns++
}

// disconnect marks a client's row once its last connection is gone, and says
// whether it did.
func (p *presence) disconnect(c Caller) bool {
	if !tracked(c) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	row := p.rows[clientKey(c)]
	if row == nil {
		return false
	}
	if row.conns--; row.conns > 0 {
		return false
	}
	row.conns = 0
	row.entry.Reason = "disconnect"
	p.render(row)
	return true
}

// event adds or renews the row that a system-event describes.
func (p *presence) event(e protocol.SystemEventParams) {
	key := e.DeviceID
	for _, k := range []string{e.InstanceID, e.Host, e.IP, e.Text} {
		if key == "" {
			key = k
		}
	}
	if len(key) > 64 {
		key = key[:64]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(strings.ToLower(key), protocol.PresenceEntry{
		Host: e.Host, IP: e.IP, Version: e.Version, Platform: e.Platform, DeviceFamily: e.DeviceFamily, ModelIdentifier: e.ModelIdentifier,
		Mode: e.Mode, LastInputSeconds: e.LastInputSeconds, Reason: e.Reason, Tags: e.Tags, Text: e.Text, DeviceID: e.DeviceID,
		Roles: e.Roles, Scopes: e.Scopes, InstanceID: e.InstanceID,
	})
}

// put adds an entry to the row of a key, with p.mu held. What it does not say
// stays; roles and scopes are merged.
func (p *presence) put(key string, e protocol.PresenceEntry) *presenceRow {
	row := p.rows[key]
	if row == nil {
		row = &presenceRow{}
		p.rows[key] = row
	}
	row.entry = merge(row.entry, e)
	p.render(row)
	if len(p.rows) > presenceRows {
		p.dropOldest(key)
	}
	return row
}

func (p *presence) render(row *presenceRow) {
	row.entry.TS = p.now().UnixMilli()
	row.raw, _ = json.Marshal(row.entry) // strings and numbers always marshal
	p.cached = nil
	p.version++
}

func (p *presence) dropOldest(keep string) {
	oldest := ""
	for k, row := range p.rows {
		if k != keep && (oldest == "" || row.entry.TS < p.rows[oldest].entry.TS) {
			oldest = k
		}
	}
	delete(p.rows, oldest)
}

func merge(old, e protocol.PresenceEntry) protocol.PresenceEntry {
	keep := func(have *string, was string) {
		if *have == "" {
			*have = was
		}
	}
	keep(&e.Host, old.Host)
	keep(&e.IP, old.IP)
	keep(&e.Version, old.Version)
	keep(&e.Platform, old.Platform)
	keep(&e.DeviceFamily, old.DeviceFamily)
	keep(&e.ModelIdentifier, old.ModelIdentifier)
	keep(&e.Mode, old.Mode)
	keep(&e.Reason, old.Reason)
	keep(&e.DeviceID, old.DeviceID)
	keep(&e.InstanceID, old.InstanceID)
	if e.LastInputSeconds == nil {
		e.LastInputSeconds = old.LastInputSeconds
	}
	e.Roles, e.Scopes = mergeList(old.Roles, e.Roles), mergeList(old.Scopes, e.Scopes)
	return e
}

func mergeList(a, b []string) []string {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(slices.Clone(a), x)
		}
	}
	return a
}

// expire drops rows of clients that have long been gone, and says whether
// there were any.
func (p *presence) expire() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.now().Add(-presenceLife).UnixMilli()
	before := len(p.rows)
	for k, row := range p.rows {
		if row.conns == 0 && row.entry.TS < limit {
			delete(p.rows, k)
		}
	}
	if len(p.rows) == before {
		return false
	}
	p.cached = nil
	p.version++
	return true
}

// Version counts the changes.
func (p *presence) Version() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.version
}

// JSON gives all rows, newest first, and their version. The bytes are shared.
func (p *presence) JSON() (json.RawMessage, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cached != nil && p.now().UnixMilli()-p.self.TS < 1000 {
		return p.cached, p.version
	}
	p.self.TS = p.now().UnixMilli()
	self, _ := json.Marshal(p.self)
	rows := make([]*presenceRow, 0, len(p.rows))
	size := len(self) + 2
	for _, row := range p.rows {
		rows = append(rows, row)
		size += len(row.raw) + 1
	}
	slices.SortFunc(rows, func(x, y *presenceRow) int { return int(y.entry.TS - x.entry.TS) })
	b := make([]byte, 0, size)
	b = append(b, '[')
	b = append(b, self...)
	for _, row := range rows {
		b = append(b, ',')
		b = append(b, row.raw...)
	}
	p.cached = append(b, ']')
	return p.cached, p.version
}

func toStrings(scopes []protocol.Scope) []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = string(s)
	}
	return out
}
