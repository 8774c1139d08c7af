package protocol

// DevicePairRequest is the payload of device.pair.requested.
type DevicePairRequest struct {
	RequestID   string  `json:"requestId"`
	DeviceID    string  `json:"deviceId"`
	PublicKey   string  `json:"publicKey"`
	DisplayName string  `json:"displayName,omitempty"`
	Platform    string  `json:"platform,omitempty"`
	ClientID    string  `json:"clientId,omitempty"`
	ClientMode  string  `json:"clientMode,omitempty"`
	Role        Role    `json:"role,omitempty"`
	Roles       []Role  `json:"roles,omitempty"`
	Scopes      []Scope `json:"scopes,omitempty"`
	RemoteIP    string  `json:"remoteIp,omitempty"`
	Silent      bool    `json:"silent"`
	IsRepair    bool    `json:"isRepair"`
	TS          int64   `json:"ts"`
}

// DevicePairResolution is the payload of device.pair.resolved. Decision is
// approved or rejected.
type DevicePairResolution struct {
	RequestID string `json:"requestId"`
	DeviceID  string `json:"deviceId"`
	Decision  string `json:"decision"`
	TS        int64  `json:"ts"`
}
