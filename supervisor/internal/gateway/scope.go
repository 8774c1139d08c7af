package gateway

import "github.com/openclaw/openclaw-supervisor/clientws/protocol"

// right is what a caller needs for a method.
type right struct {
	role  protocol.Role
	scope protocol.Scope // of operators
}

// scopeTable names every method of the protocol, and of ours, that needs less
// than operator.admin. It holds methods that this server does not have too:
// rights are checked before a method is looked up.
var scopeTable = map[protocol.Scope][]string{
	protocol.ScopeRead: {
		"health", "logs.tail", "channels.status", "status", "usage.status", "usage.cost", "tts.status", "tts.providers", "models.list",
		"agents.list", "agent.identity.get", "skills.status", "voicewake.get", "sessions.list", "sessions.preview", "cron.list",
		"cron.status", "cron.runs", "system-presence", "last-heartbeat", "node.list", "node.describe", "chat.history",
		"workers.list", "workers.logs", "outbox.list", "inbox.parked", "plugins.list", "plugins.info", "directory.list",
		"channels.capabilities",
	},
	protocol.ScopeWrite: {
		"send", "agent", "agent.wait", "wake", "talk.mode", "tts.enable", "tts.disable", "tts.convert", "tts.setProvider", "voicewake.set",
		"node.invoke", "chat.send", "chat.abort", "browser.request", "message.action",
	},
	protocol.ScopeApprovals: {"exec.approval.request", "exec.approval.resolve"},
	protocol.ScopePairing: {
		"node.pair.request", "node.pair.list", "node.pair.approve", "node.pair.reject", "node.pair.verify", "device.pair.list",
		"device.pair.approve", "device.pair.reject", "device.token.rotate", "device.token.revoke", "node.rename", "pairing.list",
		"pairing.approve", "pairing.reject",
	},
}

// nodeMethods are what a node may call, and an operator may not.
var nodeMethods = []string{"node.invoke.result", "node.event", "skills.bins"}

// rightsTable turns the lists above into a map.
func rightsTable() map[string]right {
	m := make(map[string]right)
	for scope, names := range scopeTable {
		for _, name := range names {
			m[name] = right{protocol.RoleOperator, scope}
		}
	}
	for _, name := range nodeMethods {
		m[name] = right{role: protocol.RoleNode}
	}
	return m
}

// rightFor is what a method needs; one that nobody named needs admin.
func (m *Methods) rightFor(name string) right {
	if r, ok := m.rights[name]; ok {
		return r
	}
	return right{protocol.RoleOperator, protocol.ScopeAdmin}
}
