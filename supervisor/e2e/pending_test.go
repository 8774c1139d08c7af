package e2e

// pending are the conformance cases that are not met yet, by the reason. The list only
// ever gets shorter: whoever builds one of these takes its cases off. E2E_CONFORMANCE=all runs
// them too, and fails where one passes.
var pending = map[string][]string{
	"making and changing agents is not built yet": {
		"agents/life-cycle", "agents/create-refusals", "agents/unknown",
	},
	"signing channels in and out is not built yet": {
		"channels/logout-unknown", "channels/web-login-unavailable",
	},
	"writing the configuration over the wire is not built yet": {
		"config/set-needs-hash", "config/set-conflict", "config/set-round-trip", "config/set-invalid", "config/set-not-json5",
		"config/set-params", "config/patch-goes-live", "config/schema",
	},
	"schedules are not built yet": {
		"cron/add", "cron/update", "cron/remove", "cron/run", "cron/run-not-due", "cron/status", "cron/unknown-job", "cron/at-in-past",
		"cron/add-invalid", "cron/cron-expression", "cron/job-id-alias", "scopes/read-allowed",
	},
	"managing paired devices is not built yet": {
		"device/local-auto-pairing", "device/remote-pairing-approve", "device/remote-pairing-reject", "device/token-rotate",
		"device/token-revoke", "device/unknown-ids", "scopes/pairing-scope",
	},
	"pairing and calling nodes is not built yet": {
		"node/list", "node/describe", "node/voicewake-on-connect", "node/invoke", "node/invoke-payload", "node/invoke-error",
		"node/invoke-timeout", "node/invoke-not-connected", "node/invoke-not-allowed", "node/invoke-not-declared",
		"node/event-accepted", "node/subscribe", "node/invoke-none-declared", "nodepair/approve", "nodepair/reject",
		"nodepair/unknown", "nodepair/rename-empty", "events/pairing-scope", "idempotency/key-required",
	},
	"approvals of commands are not built yet": {
		"exec/approvals-get", "exec/approvals-set", "exec/round-trip", "exec/timeout", "exec/explicit-id", "exec/resolve-refusals",
		"scopes/approvals-scope",
	},
	"the list of methods is complete with the control plane": {
		"handshake/features-methods",
	},
	"compaction over the wire is not built yet": {
		"sessions/compact", "sessions/compact-no-transcript",
	},
	"skills are not built yet": {
		"skills/status", "skills/update", "scopes/node-skills-bins",
	},
	"speech is not built yet": {
		"tts/status", "tts/switch", "voicewake/get-set", "voicewake/set-invalid",
	},
	"counting what models cost is not built yet": {
		"usage/status-cost",
	},
	"the set-up wizard is not built yet": {
		"wizard/start-cancel", "wizard/not-found",
	},
}
