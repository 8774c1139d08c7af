package clientws

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Identity is a device's key pair, by which gateways know it again.
type Identity struct {
	DeviceID string
	key      ed25519.PrivateKey
}

type identityFile struct {
	Version       int    `json:"version"`
	DeviceID      string `json:"deviceId"`
	PublicKeyPEM  string `json:"publicKeyPem"`
	PrivateKeyPEM string `json:"privateKeyPem"`
	CreatedAtMS   int64  `json:"createdAtMs"`
}

// LoadIdentity reads the key pair of this device, making it (mode 0600) where there is none. Two programs that start at
// the same time end up with the same one.
func LoadIdentity(file string) (*Identity, error) {
	for {
		identity, err := readIdentity(file)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return identity, err
		}
		if err := createIdentity(file); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make device identity: %w", err)
		}
	}
}

func readIdentity(file string) (*Identity, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read device identity: %w", err)
	}
	var stored identityFile
	if err := json.Unmarshal(data, &stored); err != nil {
		return nil, fmt.Errorf("device identity %s: %w", file, err)
	}
	block, _ := pem.Decode([]byte(stored.PrivateKeyPEM))
	if block == nil {
		return nil, fmt.Errorf("device identity %s holds no private key", file)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("device identity %s: %w", file, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("device identity %s: the key is no Ed25519 key", file)
	}
	return &Identity{DeviceID: protocol.DeviceID(key.Public().(ed25519.PublicKey)), key: key}, nil
}

func createIdentity(file string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	publicDER, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(identityFile{
		Version: 1, DeviceID: protocol.DeviceID(public),
		PublicKeyPEM:  string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER})),
		PrivateKeyPEM: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER})),
		CreatedAtMS:   time.Now().UnixMilli(),
	}, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(file, append(data, '\n'), true)
}

// DeviceTokens is the file of the tokens that a gateway gave to this device, by role.
type DeviceTokens struct{ file string }

// NewDeviceTokens names the file; it need not exist.
func NewDeviceTokens(file string) DeviceTokens { return DeviceTokens{file} }

type tokensFile struct {
	Version  int                    `json:"version"`
	DeviceID string                 `json:"deviceId"`
	Tokens   map[string]deviceToken `json:"tokens"`
}

type deviceToken struct {
	Token       string           `json:"token"`
	Role        protocol.Role    `json:"role"`
	Scopes      []protocol.Scope `json:"scopes"`
	UpdatedAtMS int64            `json:"updatedAtMs"`
}

func (d DeviceTokens) read(deviceID string) tokensFile {
	stored := tokensFile{}
	if data, err := os.ReadFile(d.file); err == nil {
		// A file that cannot be read, or is of another device, holds no token: the next hello brings a new one.
		if json.Unmarshal(data, &stored) != nil || stored.DeviceID != deviceID {
			stored = tokensFile{}
		}
	}
	stored.Version, stored.DeviceID = 1, deviceID
	if stored.Tokens == nil {
		stored.Tokens = map[string]deviceToken{}
	}
	return stored
}

// Get gives the token for a role, "" for none.
func (d DeviceTokens) Get(deviceID string, role protocol.Role) string {
	if d.file == "" {
		return ""
	}
	return d.read(deviceID).Tokens[string(role)].Token
}

// Put keeps a token. Nothing is written when it is kept already.
func (d DeviceTokens) Put(deviceID string, issued protocol.IssuedAuth) error {
	if d.file == "" || issued.DeviceToken == "" {
		return nil
	}
	stored := d.read(deviceID)
	if stored.Tokens[string(issued.Role)].Token == issued.DeviceToken {
		return nil
	}
	stored.Tokens[string(issued.Role)] = deviceToken{
		Token: issued.DeviceToken, Role: issued.Role, Scopes: issued.Scopes, UpdatedAtMS: time.Now().UnixMilli(),
	}
	return d.write(stored)
}

// Forget drops the token for a role.
func (d DeviceTokens) Forget(deviceID string, role protocol.Role) error {
	stored := d.read(deviceID)
	if _, ok := stored.Tokens[string(role)]; !ok {
		return nil
	}
	delete(stored.Tokens, string(role))
	return d.write(stored)
}

func (d DeviceTokens) write(stored tokensFile) error {
	data, err := json.MarshalIndent(stored, "", "  ")
	if err != nil {
		return err
	}
	if err := writePrivate(d.file, append(data, '\n'), false); err != nil {
		return fmt.Errorf("keep device token: %w", err)
	}
	return nil
}

// writePrivate writes a file of mode 0600 as a whole; exclusive fails with fs.ErrExist where there is one already.
func writePrivate(file string, data []byte, exclusive bool) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, "."+filepath.Base(file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.Write(data)
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		return err
	case exclusive:
		return os.Link(temp.Name(), file)
	}
	return os.Rename(temp.Name(), file)
}
