package protocol

import "encoding/json"

// SessionsListParams are the parameters of sessions.list.
type SessionsListParams struct {
	Limit                int    `json:"limit,omitempty"`
	ActiveMinutes        int    `json:"activeMinutes,omitempty"`
	IncludeGlobal        bool   `json:"includeGlobal,omitempty"`
	IncludeUnknown       bool   `json:"includeUnknown,omitempty"`
	IncludeDerivedTitles bool   `json:"includeDerivedTitles,omitempty"`
	IncludeLastMessage   bool   `json:"includeLastMessage,omitempty"`
	Label                string `json:"label,omitempty"`
	SpawnedBy            string `json:"spawnedBy,omitempty"`
	AgentID              string `json:"agentId,omitempty"`
	Search               string `json:"search,omitempty"`
}

// SessionsListResult is the result of sessions.list, newest first.
type SessionsListResult struct {
	TS       int64        `json:"ts"`
	Path     string       `json:"path"`
	Count    int          `json:"count"`
	Defaults ModelDefault `json:"defaults"`
	Sessions []SessionRow `json:"sessions"`
}

// ModelDefault is the model sessions use unless they say otherwise.
type ModelDefault struct {
	ModelProvider string `json:"modelProvider,omitempty"`
	Model         string `json:"model"`
	ContextTokens int64  `json:"contextTokens"`
}

// SessionRow is a session in a list.
type SessionRow struct {
	Key                string          `json:"key"`
	Kind               string          `json:"kind"`
	Label              string          `json:"label,omitempty"`
	DisplayName        string          `json:"displayName,omitempty"`
	DerivedTitle       string          `json:"derivedTitle,omitempty"`
	LastMessagePreview string          `json:"lastMessagePreview,omitempty"`
	Channel            string          `json:"channel,omitempty"`
	ChatType           string          `json:"chatType,omitempty"`
	Subject            string          `json:"subject,omitempty"`
	UpdatedAt          int64           `json:"updatedAt"`
	SessionID          string          `json:"sessionId,omitempty"`
	SystemSent         bool            `json:"systemSent,omitempty"`
	AbortedLastRun     bool            `json:"abortedLastRun,omitempty"`
	ThinkingLevel      string          `json:"thinkingLevel,omitempty"`
	VerboseLevel       string          `json:"verboseLevel,omitempty"`
	ReasoningLevel     string          `json:"reasoningLevel,omitempty"`
	ElevatedLevel      string          `json:"elevatedLevel,omitempty"`
	SendPolicy         string          `json:"sendPolicy,omitempty"`
	InputTokens        int64           `json:"inputTokens,omitempty"`
	OutputTokens       int64           `json:"outputTokens,omitempty"`
	TotalTokens        int64           `json:"totalTokens"`
	ResponseUsage      string          `json:"responseUsage,omitempty"`
	ModelProvider      string          `json:"modelProvider,omitempty"`
	Model              string          `json:"model,omitempty"`
	ContextTokens      int64           `json:"contextTokens,omitempty"`
	DeliveryContext    json.RawMessage `json:"deliveryContext,omitempty"`
	LastChannel        string          `json:"lastChannel,omitempty"`
	LastTo             string          `json:"lastTo,omitempty"`
	LastAccountID      string          `json:"lastAccountId,omitempty"`
	SpawnedBy          string          `json:"spawnedBy,omitempty"`
}

// SessionsPreviewParams are the parameters of sessions.preview. Limit is the
// number of items a key, MaxChars the length each text is cut to.
type SessionsPreviewParams struct {
	Keys     []string `json:"keys"`
	Limit    int      `json:"limit,omitempty"`
	MaxChars int      `json:"maxChars,omitempty"`
}

// SessionsPreviewResult is the result of sessions.preview, in the order asked.
type SessionsPreviewResult struct {
	TS       int64            `json:"ts"`
	Previews []SessionPreview `json:"previews"`
}

// SessionPreview holds the last items of one session. Status is ok, empty,
// missing or error.
type SessionPreview struct {
	Key    string        `json:"key"`
	Status string        `json:"status"`
	Items  []PreviewItem `json:"items"`
}

// PreviewItem is one line of a preview. Role is user, assistant or tool.
type PreviewItem struct {
	Role string `json:"role"`
	Text string `json:"text"`
}

// SessionsPatchParams are the parameters of sessions.patch: a key absent from
// Fields is left alone, null clears it.
type SessionsPatchParams struct {
	Key    string
	Fields map[string]json.RawMessage
}

// UnmarshalJSON reads key and keeps every other property as it came.
func (p *SessionsPatchParams) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	if key, ok := all["key"]; ok {
		if err := json.Unmarshal(key, &p.Key); err != nil {
			return err
		}
		delete(all, "key")
	}
	p.Fields = all
	return nil
}

// MarshalJSON writes key beside the other properties.
func (p SessionsPatchParams) MarshalJSON() ([]byte, error) {
	all := make(map[string]any, len(p.Fields)+1)
	for k, v := range p.Fields {
		all[k] = v
	}
	all["key"] = p.Key
	return json.Marshal(all)
}

// SessionsPatchResult is the result of sessions.patch.
type SessionsPatchResult struct {
	OK       bool            `json:"ok"`
	Path     string          `json:"path"`
	Key      string          `json:"key"`
	Entry    json.RawMessage `json:"entry"`
	Resolved ResolvedModel   `json:"resolved"`
}

// ResolvedModel is the model a session will use.
type ResolvedModel struct {
	ModelProvider string `json:"modelProvider"`
	Model         string `json:"model"`
}

// SessionsResolveParams are the parameters of sessions.resolve: exactly one of
// Key, SessionID and Label.
type SessionsResolveParams struct {
	Key            string `json:"key,omitempty"`
	SessionID      string `json:"sessionId,omitempty"`
	Label          string `json:"label,omitempty"`
	AgentID        string `json:"agentId,omitempty"`
	SpawnedBy      string `json:"spawnedBy,omitempty"`
	IncludeGlobal  bool   `json:"includeGlobal,omitempty"`
	IncludeUnknown bool   `json:"includeUnknown,omitempty"`
}

// SessionsResolveResult is the result of sessions.resolve.
type SessionsResolveResult struct {
	OK  bool   `json:"ok"`
	Key string `json:"key"`
}

// SessionKeyParams are the parameters of sessions.reset and, with
// DeleteTranscript, of sessions.delete.
type SessionKeyParams struct {
	Key              string `json:"key"`
	DeleteTranscript *bool  `json:"deleteTranscript,omitempty"`
}

// SessionsResetResult is the result of sessions.reset.
type SessionsResetResult struct {
	OK    bool            `json:"ok"`
	Key   string          `json:"key"`
	Entry json.RawMessage `json:"entry"`
}

// SessionsDeleteResult is the result of sessions.delete. Archived names the
// files that were put aside.
type SessionsDeleteResult struct {
	OK       bool     `json:"ok"`
	Key      string   `json:"key"`
	Deleted  bool     `json:"deleted"`
	Archived []string `json:"archived"`
}
