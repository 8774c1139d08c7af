package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
	"github.com/openclaw/openclaw-supervisor/proto/sdk/agent"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/journal"
	"github.com/openclaw/openclaw-supervisor/supervisor/internal/session"
)

// Defaults of sessions.preview.
const (
	previewLimit = 12
	previewChars = 400
)

// sessions implements gateway.Sessions and gateway.SessionEditor.
type sessions struct {
	db     *journal.DB
	book   *book
	agents *agents
	models *models
	aborts interface {
		AbortSession(ctx context.Context, sessionKey, stopReason string) []string
	}
	now func() time.Time
}

// List implements gateway.Sessions.
func (s *sessions) List(ctx context.Context, p protocol.SessionsListParams) (protocol.SessionsListResult, error) {
	out := protocol.SessionsListResult{TS: s.now().UnixMilli(), Path: s.storeShown(p.AgentID), Defaults: s.models.fallback(ctx), Sessions: []protocol.SessionRow{}}
	search := strings.ToLower(strings.TrimSpace(p.Search))
	for _, e := range s.book.index.List(strings.ToLower(p.AgentID)) {
		row := s.row(e)
		switch {
		case e.Key == session.GlobalKey && !p.IncludeGlobal, e.Key == session.UnknownKey && !p.IncludeUnknown,
			p.Label != "" && row.Label != p.Label,
			p.SpawnedBy != "" && row.SpawnedBy != p.SpawnedBy,
			p.ActiveMinutes > 0 && s.now().Sub(time.UnixMilli(e.UpdatedMS)) > minutes(p.ActiveMinutes),
			search != "" && !strings.Contains(strings.ToLower(row.Key+"\n"+row.Label+"\n"+row.DisplayName+"\n"+row.Subject), search):
			continue
		}
		out.Sessions = append(out.Sessions, row)
	}
	out.Count = len(out.Sessions)
	if p.Limit > 0 && len(out.Sessions) > p.Limit {
		out.Sessions = out.Sessions[:p.Limit]
	}
	return out, nil
}

// storeShown is the path that clients are told: the agent's mirror, or the default agent's.
func (s *sessions) storeShown(agentID string) string {
	if agentID == "" {
		agentID = s.book.store.Snapshot().Config.DefaultAgentID()
	}
	return s.book.storePath(agentID)
}

func (s *sessions) row(e session.Entry) protocol.SessionRow {
	return protocol.SessionRow{
		Key: e.Key, Kind: session.Kind(e.Key), Label: e.Text("label"), DisplayName: e.Text("displayName"), Channel: e.Text("channel"),
		ChatType: e.Text("chatType"), Subject: e.Text("subject"), UpdatedAt: e.UpdatedMS, SessionID: e.SessionID,
		SystemSent: e.Bool("systemSent"), AbortedLastRun: e.Bool("abortedLastRun"), ThinkingLevel: e.Text("thinkingLevel"),
		VerboseLevel: e.Text("verboseLevel"), ReasoningLevel: e.Text("reasoningLevel"), ElevatedLevel: e.Text("elevatedLevel"),
		SendPolicy: e.Text("sendPolicy"), InputTokens: e.Number("inputTokens"), OutputTokens: e.Number("outputTokens"),
		TotalTokens: e.Number("totalTokens"), ResponseUsage: e.Text("responseUsage"), ModelProvider: e.Text("modelProvider"),
		Model: e.Text("model"), ContextTokens: e.Number("contextTokens"), DeliveryContext: e.Fields["deliveryContext"],
		LastChannel: e.Text("lastChannel"), LastTo: e.Text("lastTo"), LastAccountID: e.Text("lastAccountId"), SpawnedBy: e.Text("spawnedBy"),
	}
}

// Preview implements gateway.Sessions.
func (s *sessions) Preview(ctx context.Context, p protocol.SessionsPreviewParams) ([]protocol.SessionPreview, error) {
	limit, chars := p.Limit, p.MaxChars
	if limit <= 0 {
		limit = previewLimit
	}
	if chars <= 0 {
		chars = previewChars
	}
	out := make([]protocol.SessionPreview, len(p.Keys))
	var refs []agent.TranscriptRef
	at := map[string][]int{}
	for i, key := range p.Keys {
		out[i] = protocol.SessionPreview{Key: key, Status: "missing", Items: []protocol.PreviewItem{}}
		where, err := s.book.resolve(key, "")
		if err != nil {
			continue
		}
		if ref, ok := s.book.transcript(where.key); ok {
			out[i].Status = "empty"
			if at[where.key] == nil {
				refs = append(refs, ref)
			}
			at[where.key] = append(at[where.key], i)
		}
	}
	if len(refs) == 0 {
		return out, nil
	}
	client := s.agents.client()
	if client == nil {
		return nil, agentAway()
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	previews, err := client.Preview(ctx, refs, limit, chars)
	if err != nil {
		return nil, agentFailed(err)
	}
	for _, pv := range previews {
		for _, i := range at[pv.SessionKey] {
			for _, it := range pv.Items {
				out[i].Items = append(out[i].Items, protocol.PreviewItem{Role: it.Role, Text: it.Text})
			}
			if len(out[i].Items) > 0 {
				out[i].Status = "ok"
			}
		}
	}
	return out, nil
}

// Resolve implements gateway.Sessions.
func (s *sessions) Resolve(_ context.Context, p protocol.SessionsResolveParams) (string, error) {
	belongs := func(e session.Entry) bool {
		return (p.AgentID == "" || e.AgentID == strings.ToLower(p.AgentID)) && (p.SpawnedBy == "" || e.Text("spawnedBy") == p.SpawnedBy)
	}
	switch {
	case p.SessionID != "":
		if e, ok := s.book.index.Find(func(e session.Entry) bool { return e.SessionID == p.SessionID && belongs(e) }); ok {
			return e.Key, nil
		}
		return "", protocol.Invalid("No session found: %s", p.SessionID)
	case p.Label != "":
		var found []string
		for _, e := range s.book.index.List("") {
			if e.Text("label") == p.Label && belongs(e) {
				found = append(found, e.Key)
			}
		}
		switch len(found) {
		case 0:
			return "", protocol.Invalid("No session found with label: %s", p.Label)
		case 1:
			return found[0], nil
		}
		return "", protocol.Invalid("Multiple sessions found with label: %s (%s)", p.Label, strings.Join(found, ", "))
	}
	where, err := s.book.resolve(p.Key, "")
	if err != nil {
		return "", err
	}
	if e, ok := s.book.index.Get(where.key); ok && belongs(e) {
		return e.Key, nil
	}
	return "", protocol.Invalid("No session found: %s", p.Key)
}

// Reset implements gateway.SessionEditor.
func (s *sessions) Reset(ctx context.Context, key string) (protocol.SessionsResetResult, error) {
	where, err := s.book.resolve(key, "")
	if err != nil {
		return protocol.SessionsResetResult{}, err
	}
	s.aborts.AbortSession(ctx, where.key, "reset")
	var e session.Entry
	err = s.db.Update(ctx, func(tx *journal.Tx) error {
		// A session that does not exist is made, so that the answer can name its id.
		if _, _, err := s.book.index.Ensure(tx, where.key, where.agentID, session.Rule{}); err != nil {
			return err
		}
		e, err = s.book.index.Reset(tx, where.key)
		return err
	})
	return protocol.SessionsResetResult{OK: true, Key: where.key, Entry: e.JSON()}, err
}

// Delete implements gateway.SessionEditor.
func (s *sessions) Delete(ctx context.Context, key string, deleteTranscript bool) (protocol.SessionsDeleteResult, error) {
	where, err := s.book.resolve(key, "")
	if err != nil {
		return protocol.SessionsDeleteResult{}, err
	}
	if where.key == s.book.keys().Main(where.agentID) || where.key == session.GlobalKey {
		return protocol.SessionsDeleteResult{}, protocol.Invalid("Cannot delete the main session (%s).", where.key)
	}
	out := protocol.SessionsDeleteResult{OK: true, Key: where.key, Archived: []string{}}
	ref, exists := s.book.transcript(where.key)
	if !exists {
		return out, nil
	}
	s.aborts.AbortSession(ctx, where.key, "deleted")
	err = s.db.Update(ctx, func(tx *journal.Tx) error {
		out.Deleted, err = s.book.index.Delete(tx, where.key)
		return err
	})
	if err != nil || !deleteTranscript {
		return out, err
	}
	client := s.agents.client()
	if client == nil {
		return out, nil // the transcript stays where it is, and nothing refers to it any more
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	archived, err := client.DeleteTranscript(ctx, ref)
	if err != nil {
		return out, agentFailed(err)
	}
	if archived != "" {
		out.Archived = append(out.Archived, archived)
	}
	return out, nil
}

// recent are the sessions of an agent that were used last, for health.
func (s *sessions) recent(agentID string) protocol.SessionStore {
	list := s.book.index.List(agentID)
	out := protocol.SessionStore{Path: s.storeShown(agentID), Count: int64(len(list))}
	for _, e := range list[:min(len(list), 5)] {
		out.Recent = append(out.Recent, protocol.SessionRecent{Key: e.Key, UpdatedAt: e.UpdatedMS, Age: s.now().UnixMilli() - e.UpdatedMS})
	}
	return out
}

// Patch implements gateway.SessionEditor.
func (s *sessions) Patch(ctx context.Context, p protocol.SessionsPatchParams) (protocol.SessionsPatchResult, error) {
	where, err := s.book.resolve(p.Key, "")
	if err != nil {
		return protocol.SessionsPatchResult{}, err
	}
	fields, err := s.checked(ctx, where.key, p.Fields)
	if err != nil {
		return protocol.SessionsPatchResult{}, err
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return protocol.SessionsPatchResult{}, err
	}
	var e session.Entry
	err = s.db.Update(ctx, func(tx *journal.Tx) error {
		e, err = s.book.index.Patch(tx, where.key, where.agentID, raw)
		return err
	})
	if err != nil {
		return protocol.SessionsPatchResult{}, err
	}
	out := protocol.SessionsPatchResult{OK: true, Path: s.storeShown(where.agentID), Key: where.key, Entry: e.JSON()}
	d := s.models.fallback(ctx)
	out.Resolved = protocol.ResolvedModel{ModelProvider: d.ModelProvider, Model: d.Model}
	if m := e.Text("modelOverride"); m != "" {
		out.Resolved = protocol.ResolvedModel{ModelProvider: e.Text("providerOverride"), Model: m}
	}
	return out, nil
}

// level is a field of sessions.patch with a closed set of values; off clears those that say so.
type level struct {
	field    string
	values   []string
	shown    string // how the refusal lists them
	offClear bool
}

var levels = []level{
	{"thinkingLevel", []string{"off", "minimal", "low", "medium", "high", "xhigh"}, "off|minimal|low|medium|high|xhigh", true},
	{"verboseLevel", []string{"on", "off", "full"}, `"on"|"off"|"full"`, false},
	{"reasoningLevel", []string{"on", "off", "stream"}, `"on"|"off"|"stream"`, true},
	{"elevatedLevel", []string{"on", "off", "ask", "full"}, `"on"|"off"|"ask"|"full"`, false},
	{"responseUsage", []string{"off", "tokens", "full", "on"}, `"off"|"tokens"|"full"`, true},
	{"sendPolicy", []string{"allow", "deny"}, `"allow"|"deny"`, false},
	{"groupActivation", []string{"mention", "always"}, `"mention"|"always"`, false},
}

// checked turns the fields of a patch into those of the entry.
func (s *sessions) checked(ctx context.Context, key string, in map[string]json.RawMessage) (map[string]any, error) {
	out := map[string]any{}
	for name, raw := range in {
		if string(raw) == "null" {
			out[name] = nil
			if name == "model" {
				delete(out, name)
				out["modelOverride"], out["providerOverride"] = nil, nil
			}
			continue
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, protocol.Invalid("invalid sessions.patch params: %s", name)
		}
		text, _ := v.(string)
		switch name {
		case "label":
			text = strings.TrimSpace(text)
			if _, taken := s.book.index.Find(func(e session.Entry) bool { return e.Key != key && text != "" && e.Text("label") == text }); taken {
				return nil, protocol.Invalid("label already in use: %s", text)
			}
			out[name] = text
		case "model":
			provider, model, err := s.models.allowed(ctx, text)
			if err != nil {
				return nil, err
			}
			out["providerOverride"], out["modelOverride"] = provider, model
		default:
			value, err := checkLevel(name, text, v)
			if err != nil {
				return nil, err
			}
			out[name] = value
		}
	}
	return out, nil
}

func checkLevel(name, text string, v any) (any, error) {
	i := slices.IndexFunc(levels, func(l level) bool { return l.field == name })
	if i < 0 {
		return v, nil
	}
	l := levels[i]
	text = strings.ToLower(strings.TrimSpace(text))
	if !slices.Contains(l.values, text) {
		return nil, protocol.Invalid("invalid %s (use %s)", name, l.shown)
	}
	if text == "off" && l.offClear {
		return nil, nil
	}
	if name == "responseUsage" && text == "on" {
		text = "tokens"
	}
	return text, nil
}
