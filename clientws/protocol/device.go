package protocol

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

// DeviceID derives a device's id from its raw public key: the lower-case hex
// form of its SHA-256.
func DeviceID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:])
}

// Claim is what a device's signature covers. Scopes and Token are exactly as
// sent in the connect parameters; Nonce is the challenge's, or empty for the
// older form that only local connections may use.
type Claim struct {
	DeviceID   string
	ClientID   ClientID
	ClientMode ClientMode
	Role       Role
	Scopes     []Scope
	SignedAtMS int64
	Token      string
	Nonce      string
}

// SignedText gives the text a device signs: version 2, which ends in the
// nonce, or version 1 where there is none.
func (c Claim) SignedText() string {
	version := "v2"
	if c.Nonce == "" {
		version = "v1"
	}
	scopes := make([]string, len(c.Scopes))
	for i, s := range c.Scopes {
		scopes[i] = string(s)
	}
	parts := []string{
		version, c.DeviceID, string(c.ClientID), string(c.ClientMode), string(c.Role),
		strings.Join(scopes, ","), strconv.FormatInt(c.SignedAtMS, 10), c.Token,
	}
	if c.Nonce != "" {
		parts = append(parts, c.Nonce)
	}
	return strings.Join(parts, "|")
}

// Sign gives a device's proof of claim c, whose DeviceID is filled in.
func (c Claim) Sign(key ed25519.PrivateKey) *Device {
	pub := key.Public().(ed25519.PublicKey)
	c.DeviceID = DeviceID(pub)
	return &Device{
		ID:        c.DeviceID,
		PublicKey: EncodeKey(pub),
		Signature: EncodeKey(ed25519.Sign(key, []byte(c.SignedText()))),
		SignedAt:  c.SignedAtMS,
		Nonce:     c.Nonce,
	}
}

// EncodeKey writes a key or signature in the wire's base64url without padding.
func EncodeKey(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// DecodeKey reads what EncodeKey wrote, and also padded and standard base64.
func DecodeKey(s string) ([]byte, error) {
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "+", "-"), "/", "_")
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("not base64url")
	}
	return b, nil
}
