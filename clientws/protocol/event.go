package protocol

// Event names.
const (
	EventChallenge          = "connect.challenge"
	EventAgent              = "agent"
	EventChat               = "chat"
	EventPresence           = "presence"
	EventTick               = "tick"
	EventTalkMode           = "talk.mode"
	EventShutdown           = "shutdown"
	EventHealth             = "health"
	EventHeartbeat          = "heartbeat"
	EventCron               = "cron"
	EventNodePairRequested  = "node.pair.requested"
	EventNodePairResolved   = "node.pair.resolved"
	EventNodeInvoke         = "node.invoke.request"
	EventDevicePairRequest  = "device.pair.requested"
	EventDevicePairResolved = "device.pair.resolved"
	EventVoiceWakeChanged   = "voicewake.changed"
	EventApprovalRequested  = "exec.approval.requested"
	EventApprovalResolved   = "exec.approval.resolved"
	// EventWorker is additive: it is sent, but not named in hello-ok.
	EventWorker = "worker"
)

// Events lists, in the order of hello-ok, the events that it names.
func Events() []string {
	return []string{
		EventChallenge, EventAgent, EventChat, EventPresence, EventTick, EventTalkMode, EventShutdown, EventHealth,
		EventHeartbeat, EventCron, EventNodePairRequested, EventNodePairResolved, EventNodeInvoke,
		EventDevicePairRequest, EventDevicePairResolved, EventVoiceWakeChanged, EventApprovalRequested,
		EventApprovalResolved,
	}
}
