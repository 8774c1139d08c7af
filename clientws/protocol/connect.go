package protocol

// ConnectParams are the parameters of connect, the first request.
type ConnectParams struct {
	MinProtocol int             `json:"minProtocol"`
	MaxProtocol int             `json:"maxProtocol"`
	Client      ClientInfo      `json:"client"`
	Caps        []string        `json:"caps,omitempty"`
	Commands    []string        `json:"commands,omitempty"`
	Permissions map[string]bool `json:"permissions,omitempty"`
	PathEnv     string          `json:"pathEnv,omitempty"`
	Role        Role            `json:"role,omitempty"`
	Scopes      []Scope         `json:"scopes,omitempty"`
	Device      *Device         `json:"device,omitempty"`
	Auth        *Auth           `json:"auth,omitempty"`
	Locale      string          `json:"locale,omitempty"`
	UserAgent   string          `json:"userAgent,omitempty"`
}

// ClientInfo names the program that connects.
type ClientInfo struct {
	ID              ClientID   `json:"id"`
	DisplayName     string     `json:"displayName,omitempty"`
	Version         string     `json:"version"`
	Platform        string     `json:"platform"`
	DeviceFamily    string     `json:"deviceFamily,omitempty"`
	ModelIdentifier string     `json:"modelIdentifier,omitempty"`
	Mode            ClientMode `json:"mode"`
	InstanceID      string     `json:"instanceId,omitempty"`
}

// Device proves a device's identity: see DeviceID and SignedText.
type Device struct {
	ID        string `json:"id"`
	PublicKey string `json:"publicKey"`
	Signature string `json:"signature"`
	SignedAt  int64  `json:"signedAt"`
	Nonce     string `json:"nonce,omitempty"`
}

// Auth carries the shared secret, a device token or a dashboard ticket.
type Auth struct {
	Token    string `json:"token,omitempty"`
	Password string `json:"password,omitempty"`
}

// Challenge is the payload of connect.challenge, the server's first frame.
type Challenge struct {
	Nonce string `json:"nonce"`
	TS    int64  `json:"ts"`
}

// HelloOK is the payload of a good answer to connect.
type HelloOK struct {
	Type          string      `json:"type"`
	Protocol      int         `json:"protocol"`
	Server        ServerInfo  `json:"server"`
	Features      Features    `json:"features"`
	Snapshot      Snapshot    `json:"snapshot"`
	CanvasHostURL string      `json:"canvasHostUrl,omitempty"`
	Auth          *IssuedAuth `json:"auth,omitempty"`
	Policy        Policy      `json:"policy"`
}

// TypeHelloOK is HelloOK's Type.
const TypeHelloOK = "hello-ok"

// ServerInfo names the gateway and this connection.
type ServerInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Host    string `json:"host,omitempty"`
	ConnID  string `json:"connId"`
}

// Features lists the methods and events a gateway has.
type Features struct {
	Methods []string `json:"methods"`
	Events  []string `json:"events"`
}

// IssuedAuth is the device token a device may use from now on.
type IssuedAuth struct {
	DeviceToken string  `json:"deviceToken"`
	Role        Role    `json:"role"`
	Scopes      []Scope `json:"scopes"`
	IssuedAtMS  int64   `json:"issuedAtMs,omitempty"`
}

// Policy are the numbers a client must keep.
type Policy struct {
	MaxPayload       int   `json:"maxPayload"`
	MaxBufferedBytes int   `json:"maxBufferedBytes"`
	TickIntervalMS   int64 `json:"tickIntervalMs"`
}

// DefaultPolicy is the policy this version announces.
func DefaultPolicy() Policy {
	return Policy{MaxPayload: MaxPayload, MaxBufferedBytes: MaxBufferedBytes, TickIntervalMS: TickInterval.Milliseconds()}
}
