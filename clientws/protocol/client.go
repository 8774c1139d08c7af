package protocol

// ClientID is the kind of program that connects.
type ClientID string

// The closed set of client ids.
const (
	ClientWebChatUI   ClientID = "webchat-ui"
	ClientControlUI   ClientID = "openclaw-control-ui"
	ClientWebChat     ClientID = "webchat"
	ClientCLI         ClientID = "cli"
	ClientGateway     ClientID = "gateway-client"
	ClientMacOS       ClientID = "openclaw-macos"
	ClientIOS         ClientID = "openclaw-ios"
	ClientAndroid     ClientID = "openclaw-android"
	ClientNodeHost    ClientID = "node-host"
	ClientTest        ClientID = "test"
	ClientFingerprint ClientID = "fingerprint"
	ClientProbe       ClientID = "openclaw-probe"
)

// ClientMode is how a client is used.
type ClientMode string

// The closed set of modes.
const (
	ModeWebChat ClientMode = "webchat"
	ModeCLI     ClientMode = "cli"
	ModeUI      ClientMode = "ui"
	ModeBackend ClientMode = "backend"
	ModeNode    ClientMode = "node"
	ModeProbe   ClientMode = "probe"
	ModeTest    ClientMode = "test"
)

// Role is what a connection is: a person's client or a device that serves.
type Role string

// The closed set of roles.
const (
	RoleOperator Role = "operator"
	RoleNode     Role = "node"
)

// Scope is a right of an operator.
type Scope string

// Scopes. ScopeAgent is never granted to a connection: it is what agentd's
// calls run under.
const (
	ScopeAdmin     Scope = "operator.admin"
	ScopeRead      Scope = "operator.read"
	ScopeWrite     Scope = "operator.write"
	ScopeApprovals Scope = "operator.approvals"
	ScopePairing   Scope = "operator.pairing"
	ScopeAgent     Scope = "agent"
)

// CapToolEvents is the capability of clients that want the tool events of
// runs they started.
const CapToolEvents = "tool-events"
