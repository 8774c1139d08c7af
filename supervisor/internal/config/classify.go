package config

import (
	"slices"
	"strings"
)

// Class is what a changed key needs before it is in force.
type Class string

// The classes, from the one that disturbs least.
const (
	// ClassNone: the key is read by nobody who runs.
	ClassNone Class = "none"
	// ClassLive: it is read at its next use.
	ClassLive Class = "live"
	// ClassAccount: the account is stopped and started, in the same process.
	ClassAccount Class = "account"
	// ClassProcess: one worker is started anew.
	ClassProcess Class = "process"
	// ClassListener: the control plane's socket is opened anew.
	ClassListener Class = "listener"
	// ClassSupervisor: it waits for the next start of the supervisor.
	ClassSupervisor Class = "supervisor"
)

// classRule gives the class of every key below a prefix; the first rule that fits decides.
type classRule struct {
	prefix string
	class  Class
}

// classRules classifies every key of the schema. A * stands for one step of any name.
func classRules() []classRule {
	return []classRule{
		{"$schema", ClassNone}, {"meta", ClassNone}, {"wizard", ClassNone},

		{"gateway.remote", ClassNone}, {"gateway.reload", ClassLive},
		{"gateway.mode", ClassSupervisor},
		{"gateway.port", ClassListener}, {"gateway.bind", ClassListener}, {"gateway.customBindHost", ClassListener},
		{"gateway.auth", ClassListener}, {"gateway.tls", ClassListener}, {"gateway.tailscale", ClassListener},
		{"gateway.controlUi.basePath", ClassListener}, {"gateway.controlUi", ClassLive},
		{"gateway.trustedProxies", ClassLive}, {"gateway.http", ClassLive}, {"gateway.nodes", ClassLive},
		{"canvasHost", ClassListener}, {"discovery", ClassSupervisor},

		{"channels.defaults", ClassLive},
		{"channels.whatsapp.hostLock", ClassProcess},
		{"channels.*.accounts.*", ClassAccount}, {"channels", ClassAccount},
		{"web.enabled", ClassAccount}, {"web", ClassAccount},

		{"supervisor.workersDir", ClassSupervisor}, {"supervisor.limits", ClassProcess}, {"supervisor", ClassLive},

		{"env", ClassLive}, {"session.store", ClassSupervisor}, {"cron.store", ClassSupervisor}, {"logging.file", ClassSupervisor},
		{"agents", ClassLive}, {"models", ClassLive}, {"tools", ClassLive}, {"skills", ClassLive}, {"mcp", ClassLive}, {"memory", ClassLive},
		{"auth", ClassLive}, {"bindings", ClassLive}, {"broadcast", ClassLive}, {"messages", ClassLive}, {"commands", ClassLive},
		{"approvals", ClassLive}, {"session", ClassLive}, {"plugins", ClassLive}, {"hooks", ClassLive}, {"cron", ClassLive},
		{"logging", ClassLive}, {"diagnostics", ClassLive}, {"update", ClassLive}, {"browser", ClassLive}, {"talk", ClassLive},
		{"ui", ClassLive}, {"media", ClassLive}, {"audio", ClassLive}, {"nodeHost", ClassLive},
	}
}

// liveChannelKeys are the keys of a channel or account that the supervisor itself reads (who may write, how answers are
// cut and paced): a change reconnects nobody.
func liveChannelKeys() []string {
	return []string{
		"name", "dmPolicy", "allowFrom", "groupPolicy", "groupAllowFrom", "groups", "guilds", "historyLimit", "dmHistoryLimit",
		"dms", "textChunkLimit", "chunkMode", "maxLinesPerMessage", "mediaMaxMb", "blockStreaming", "blockStreamingCoalesce",
		"draftChunk", "streamMode", "responsePrefix", "messagePrefix", "configWrites", "heartbeat", "replyToMode",
		"replyToModeByChatType", "retry", "dm", "chatmode", "oncharPrefixes", "requireMention", "selfChatMode",
		"reactionLevel", "debounceMs", "ackReaction", "actions", "execApprovals", "markdown",
	}
}

// Classify gives the class of a changed key. ok is false for a key that no rule knows; such a key waits for a restart.
func Classify(path string) (class Class, ok bool) {
	steps := strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	if key, in := channelKey(steps); in && slices.Contains(liveChannelKeys(), key) {
		return ClassLive, true
	}
	for _, rule := range classRules() {
		if fits(strings.Split(rule.prefix, "."), steps) {
			return rule.class, true
		}
	}
	return ClassSupervisor, false
}

// channelKey gives the key inside a channel's or an account's block.
func channelKey(steps []string) (string, bool) {
	switch {
	case len(steps) < 3 || steps[0] != "channels" || steps[1] == "defaults":
		return "", false
	case steps[2] != "accounts":
		return steps[2], true
	case len(steps) >= 5:
		return steps[4], true
	}
	return "", false
}

func fits(prefix, steps []string) bool {
	if len(steps) < len(prefix) {
		return false
	}
	for i, step := range prefix {
		if step != "*" && step != steps[i] {
			return false
		}
	}
	return true
}
