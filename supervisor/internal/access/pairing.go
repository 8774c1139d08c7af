package access

import (
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// applicant is a device with a proven identity that asks to be let in.
type applicant struct {
	id, key string // the key in the wire's encoding
	role    protocol.Role
	scopes  []protocol.Scope
	client  protocol.ClientInfo
	addr    string
}

// approvedFor says whether a paired device may connect as asked, with s.mu
// held.
func (p *Paired) approvedFor(a applicant) bool {
	return p != nil && p.PublicKey == a.key && slices.Contains(p.roles(), a.role) && covers(p.Scopes, a.scopes)
}

// roles is Roles, or the single Role of an old entry.
func (p *Paired) roles() []protocol.Role {
	if len(p.Roles) > 0 || p.Role == "" {
		return p.Roles
	}
	return []protocol.Role{p.Role}
}

func (s *store) approved(a applicant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paired[a.id].approvedFor(a)
}

// known says whether this very key belongs to a paired device.
func (s *store) known(id, key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.paired[id]
	return p != nil && p.PublicKey == key
}

// approve pairs the device, adding to what it had.
func (s *store) approve(a applicant, nowMS int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.approveLocked(a, nowMS)
}

func (s *store) approveLocked(a applicant, nowMS int64) *Paired {
	p := s.paired[a.id]
	if p == nil || p.PublicKey != a.key {
		p = &Paired{DeviceID: a.id, PublicKey: a.key, CreatedAtMS: nowMS}
		s.paired[a.id] = p
	}
	p.DisplayName, p.Platform = a.client.DisplayName, a.client.Platform
	p.ClientID, p.ClientMode = string(a.client.ID), string(a.client.Mode)
	p.Role = a.role
	p.Roles = union(p.roles(), []protocol.Role{a.role})
	p.Scopes = union(p.Scopes, a.scopes)
	p.RemoteIP = a.addr
	p.ApprovedAtMS = nowMS
	s.changed(true, false)
	return p
}

// request files a request for pairing, or finds the one that the device has
// made already. created says that it is new.
func (s *store) request(a applicant, nowMS int64) (r protocol.DevicePairRequest, created bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(nowMS)
	for _, old := range s.pending {
		if old.DeviceID == a.id && old.PublicKey == a.key {
			old.Role, old.Roles = a.role, union(old.Roles, []protocol.Role{a.role})
			old.Scopes = union(old.Scopes, a.scopes)
			s.changed(false, true)
			return *old, false
		}
	}
	if len(s.pending) >= maxPending {
		oldest := slices.MinFunc(slices.Collect(maps.Values(s.pending)), func(x, y *protocol.DevicePairRequest) int { return int(x.TS - y.TS) })
		delete(s.pending, oldest.RequestID)
	}
	n := &protocol.DevicePairRequest{
		RequestID: uuid.NewString(), DeviceID: a.id, PublicKey: a.key, DisplayName: a.client.DisplayName,
		Platform: a.client.Platform, ClientID: string(a.client.ID), ClientMode: string(a.client.Mode),
		Role: a.role, Roles: []protocol.Role{a.role}, Scopes: a.scopes, RemoteIP: a.addr,
		IsRepair: s.paired[a.id] != nil, TS: nowMS,
	}
	s.pending[n.RequestID] = n
	s.changed(false, true)
	return *n, true
}

// expire drops requests that nobody answered, with s.mu held.
func (s *store) expire(nowMS int64) {
	for id, r := range s.pending {
		if nowMS-r.TS >= PendingLife.Milliseconds() {
			delete(s.pending, id)
			s.changed(false, true)
		}
	}
}

// tokenValid says whether token is the device's for a role and covers scopes.
func (s *store) tokenValid(a applicant, token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.paired[a.id]
	if p == nil || p.PublicKey != a.key {
		return false
	}
	t := p.Tokens[a.role]
	return t != nil && t.RevokedAtMS == 0 && matches(t.Token, token) && covers(t.Scopes, a.scopes)
}

// issue gives the device's token for its role: the one it has where that is
// enough, else a new one.
func (s *store) issue(a applicant, nowMS int64) DeviceToken {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.paired[a.id]
	if p == nil { // unpaired meanwhile
		return DeviceToken{}
	}
	t := p.Tokens[a.role]
	if t == nil || t.RevokedAtMS != 0 || !covers(t.Scopes, a.scopes) {
		n := &DeviceToken{Token: randomHex(16), Role: a.role, Scopes: a.scopes, CreatedAtMS: nowMS}
		if t != nil && t.RevokedAtMS == 0 {
			n.Scopes, n.CreatedAtMS, n.RotatedAtMS = union(t.Scopes, a.scopes), t.CreatedAtMS, nowMS
		}
		if p.Tokens == nil {
			p.Tokens = make(map[protocol.Role]*DeviceToken)
		}
		p.Tokens[a.role] = n
		t = n
	}
	t.LastUsedAtMS = nowMS
	s.changed(true, false)
	return *t
}
