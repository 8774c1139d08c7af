package session

import (
	"encoding/json"
	"fmt"
	"maps"
)

// Fields is an entry's JSON object, field by field; fields that we do not know are kept.
type Fields map[string]json.RawMessage

// Entry is one session. It is a value to read: nobody changes its Fields.
type Entry struct {
	Key       string
	AgentID   string
	SessionID string
	UpdatedMS int64
	Fields    Fields
}

// JSON is the entry as sessions.json and the control plane show it.
func (e Entry) JSON() json.RawMessage {
	f := maps.Clone(e.Fields)
	if f == nil {
		f = Fields{}
	}
	f["sessionId"] = quote(e.SessionID)
	f["updatedAt"] = number(e.UpdatedMS)
	b, err := json.Marshal(f)
	if err != nil {
		panic("an entry's fields were JSON when they came in: " + err.Error())
	}
	return b
}

// Text reads a field that holds a string; "" for any other.
func (e Entry) Text(field string) string {
	var s string
	if json.Unmarshal(e.Fields[field], &s) != nil {
		return ""
	}
	return s
}

// Number reads a field that holds a whole number; 0 for any other.
func (e Entry) Number(field string) int64 {
	var n float64
	if json.Unmarshal(e.Fields[field], &n) != nil {
		return 0
	}
	return int64(n)
}

// Bool reads a field that holds true; false for any other.
func (e Entry) Bool(field string) bool {
	var b bool
	return json.Unmarshal(e.Fields[field], &b) == nil && b
}

func quote(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic("a string always has a JSON form: " + err.Error())
	}
	return b
}

func number(n int64) json.RawMessage { return json.RawMessage(fmt.Sprint(n)) }

// parseFields reads an entry's object and takes out what has a place of its own.
func parseFields(raw json.RawMessage) (f Fields, sessionID string, updatedMS int64, err error) {
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, "", 0, fmt.Errorf("read session entry: %w", err)
	}
	e := Entry{Fields: f}
	sessionID, updatedMS = e.Text("sessionId"), e.Number("updatedAt")
	delete(f, "sessionId")
	delete(f, "updatedAt")
	renamed(f)
	return f, sessionID, updatedMS, nil
}

// renamed gives fields of older entries their present names.
func renamed(f Fields) {
	for from, to := range map[string]string{"provider": "channel", "lastProvider": "lastChannel", "room": "groupChannel"} {
		if v, ok := f[from]; ok {
			if _, taken := f[to]; !taken {
				f[to] = v
			}
			delete(f, from)
		}
	}
}

// merge applies a JSON merge patch of one level: null removes a field.
func merge(f Fields, patch Fields) Fields {
	out := maps.Clone(f)
	if out == nil {
		out = Fields{}
	}
	for k, v := range patch {
		if len(v) == 0 || string(v) == "null" {
			delete(out, k)
			continue
		}
		out[k] = v
	}
	return out
}

// overrides are the fields that a new session of a conversation does not keep (spec: reset).
var overrides = []string{
	"thinkingLevel", "verboseLevel", "reasoningLevel", "elevatedLevel", "ttsAuto", "responseUsage", "providerOverride", "modelOverride",
	"authProfileOverride", "authProfileOverrideSource", "authProfileOverrideCompactionCount", "sendPolicy", "queueMode", "queueDebounceMs",
	"queueCap", "queueDrop",
}

// counters are the fields that begin anew with every session id.
var counters = []string{
	"inputTokens", "outputTokens", "totalTokens", "systemSent", "abortedLastRun", "compactionCount", "memoryFlushAt", "memoryFlushCompactionCount",
	"sessionFile", "cliSessionIds", "skillsSnapshot", "systemPromptReport", "model", "modelProvider", "contextTokens",
}
