package access

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// publicKey reads a key in the wire's base64url, or in PEM.
func publicKey(s string) (ed25519.PublicKey, error) {
	if strings.Contains(s, "-----BEGIN") {
		block, _ := pem.Decode([]byte(s))
		if block == nil {
			return nil, errors.New("not PEM")
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		pub, ok := key.(ed25519.PublicKey)
		if !ok {
			return nil, errors.New("not an ed25519 key")
		}
		return pub, nil
	}
	raw, err := protocol.DecodeKey(s)
	if err != nil {
		return nil, err
	}
	if len(raw) != ed25519.PublicKeySize {
		return nil, errors.New("not 32 bytes")
	}
	return raw, nil
}

// verifyDevice checks that the client holds the key of the device it says it
// is, and signed this very connection.
func verifyDevice(p *protocol.ConnectParams, role protocol.Role, nonce string, local bool, now time.Time) (ed25519.PublicKey, *protocol.Error) {
	d := p.Device
	key, err := publicKey(d.PublicKey)
	if err != nil {
		return nil, protocol.Invalid("device public key invalid")
	}
	if protocol.DeviceID(key) != d.ID {
		return nil, protocol.Invalid("device identity mismatch")
	}
	if skew := now.Sub(time.UnixMilli(d.SignedAt)).Abs(); skew > protocol.SignatureSkew {
		return nil, protocol.Invalid("device signature expired")
	}
	switch {
	case d.Nonce == "" && !local:
		return nil, protocol.Invalid("device nonce required")
	case d.Nonce != "" && d.Nonce != nonce:
		return nil, protocol.Invalid("device nonce mismatch")
	}
	claim := protocol.Claim{
		DeviceID: d.ID, ClientID: p.Client.ID, ClientMode: p.Client.Mode, Role: role,
		Scopes: p.Scopes, SignedAtMS: d.SignedAt, Nonce: d.Nonce,
	}
	if p.Auth != nil {
		claim.Token = p.Auth.Token
	}
	sig, err := protocol.DecodeKey(d.Signature)
	if err != nil || !ed25519.Verify(key, []byte(claim.SignedText()), sig) {
		return nil, protocol.Invalid("device signature invalid")
	}
	return key, nil
}
