package clientws

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Options says where to connect and as what. URL is required.
type Options struct {
	// URL is ws://host:port or wss://host:port, with a path where the gateway has one.
	URL string
	// Token or Password is the shared secret; both empty where only a device token is known.
	Token, Password string
	// Client names this program; ID, Mode, Version and Platform are filled in where they are empty: a command line.
	Client protocol.ClientInfo
	// Role is operator where it is empty; Scopes are what is asked for, for an operator at least one.
	Role   protocol.Role
	Scopes []protocol.Scope
	Caps   []string
	// DeviceFile is the key pair of this device, made where it is missing; DeviceTokenFile the tokens given to it.
	// Without DeviceFile the client connects without a device identity.
	DeviceFile, DeviceTokenFile string
	// TLSFingerprint pins the certificate of a wss gateway: its SHA-256 in hex. Other checks are then left out.
	TLSFingerprint string
	// Reconnect keeps the connection for ever; see the package comment.
	Reconnect bool
	// Backoff is the wait before the first new try, doubling up to MaxBackoff; 0 means 1 s and 30 s.
	Backoff, MaxBackoff time.Duration
	// OnOpen is called once, before anything behind hello-ok is read: who subscribes here misses no event. It must not
	// call a method. May be nil.
	OnOpen func(*Client)
	// OnState is told of each loss (with its reason) and each return (nil); it must not block. May be nil.
	OnState func(lost error)
}

func (o Options) withDefaults() Options {
	if o.Client.ID == "" {
		o.Client.ID, o.Client.Mode = protocol.ClientCLI, protocol.ModeCLI
	}
	if o.Client.Version == "" {
		o.Client.Version = "dev"
	}
	if o.Client.Platform == "" {
		o.Client.Platform = runtime.GOOS
	}
	if o.Role == "" {
		o.Role = protocol.RoleOperator
	}
	if o.Backoff == 0 {
		o.Backoff = time.Second
	}
	if o.MaxBackoff == 0 {
		o.MaxBackoff = 30 * time.Second
	}
	return o
}

// connect makes one connection: a stored device token is preferred; where the gateway does not take it and a shared
// secret is known, the token is dropped and the secret is tried.
func connect(ctx context.Context, o Options) (*conn, error) {
	var identity *Identity
	tokens := NewDeviceTokens(o.DeviceTokenFile)
	stored := ""
	if o.DeviceFile != "" {
		var err error
		if identity, err = LoadIdentity(o.DeviceFile); err != nil {
			return nil, err
		}
		stored = tokens.Get(identity.DeviceID, o.Role)
	}
	auth := protocol.Auth{Token: o.Token, Password: o.Password}
	if stored != "" {
		c, err := handshake(ctx, o, identity, protocol.Auth{Token: stored})
		var refused *protocol.Error
		if err == nil || !errors.As(err, &refused) || (auth.Token == "" && auth.Password == "") {
			return c, err
		}
		if err := tokens.Forget(identity.DeviceID, o.Role); err != nil {
			return nil, err
		}
	}
	c, err := handshake(ctx, o, identity, auth)
	if err != nil {
		return nil, err
	}
	if c.hello.Auth != nil && identity != nil {
		if err := tokens.Put(identity.DeviceID, *c.hello.Auth); err != nil {
			_ = c.ws.CloseNow()
			return nil, err
		}
	}
	return c, nil
}

// handshake opens the socket, waits for the challenge and introduces itself.
func handshake(ctx context.Context, o Options, identity *Identity, auth protocol.Auth) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, protocol.HandshakeTimeout)
	defer cancel()
	client, err := httpClient(o)
	if err != nil {
		return nil, err
	}
	ws, _, err := websocket.Dial(ctx, o.URL, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		return nil, &ConnectError{URL: o.URL, Err: err}
	}
	ws.SetReadLimit(protocol.ClientMaxPayload)
	hello, err := introduce(ctx, ws, o, identity, auth)
	if err != nil {
		_ = ws.CloseNow()
		var refused *protocol.Error
		if errors.As(err, &refused) {
			return nil, &ConnectError{URL: o.URL, Refused: refused}
		}
		return nil, &ConnectError{URL: o.URL, Err: err}
	}
	c := &conn{ws: ws, hello: hello, pending: map[string]*pendingCall{}}
	c.heard.Store(time.Now().UnixMilli())
	return c, nil
}

func introduce(ctx context.Context, ws *websocket.Conn, o Options, identity *Identity, auth protocol.Auth) (protocol.HelloOK, error) {
	var hello protocol.HelloOK
	frame, err := readFrame(ctx, ws)
	if err != nil {
		return hello, err
	}
	var challenge protocol.Challenge
	if frame.Event != protocol.EventChallenge || json.Unmarshal(frame.Payload, &challenge) != nil {
		return hello, errors.New("this is no OpenClaw gateway: it does not begin with a challenge")
	}
	params := protocol.ConnectParams{
		MinProtocol: protocol.Version, MaxProtocol: protocol.Version,
		Client: o.Client, Caps: o.Caps, Role: o.Role, Scopes: o.Scopes,
	}
	if auth != (protocol.Auth{}) {
		params.Auth = &auth
	}
	if identity != nil {
		params.Device = protocol.Claim{
			ClientID: o.Client.ID, ClientMode: o.Client.Mode, Role: o.Role, Scopes: o.Scopes,
			SignedAtMS: time.Now().UnixMilli(), Token: auth.Token, Nonce: challenge.Nonce,
		}.Sign(identity.key)
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return hello, fmt.Errorf("write connect: %w", err)
	}
	const id = "connect"
	if err := writeFrame(ctx, ws, protocol.Request{Type: protocol.FrameRequest, ID: id, Method: protocol.MethodConnect, Params: raw}); err != nil {
		return hello, err
	}
	for {
		frame, err := readFrame(ctx, ws)
		switch {
		case err != nil:
			return hello, err
		case frame.Type != protocol.FrameResponse || frame.ID != id:
			continue
		case !frame.OK:
			if frame.Error == nil {
				return hello, protocol.Unavailable("the gateway gave no reason")
			}
			return hello, frame.Error
		}
		if err := json.Unmarshal(frame.Payload, &hello); err != nil || hello.Type != protocol.TypeHelloOK {
			return hello, fmt.Errorf("the gateway's answer to connect is no hello-ok: %w", err)
		}
		return hello, nil
	}
}

// httpClient dials with the pinned certificate where one is named. Redirects are not followed: the secret would follow.
func httpClient(o Options) (*http.Client, error) {
	transport := &http.Transport{Proxy: nil}
	if pin := normalFingerprint(o.TLSFingerprint); pin != "" {
		if !strings.HasPrefix(o.URL, "wss://") {
			return nil, errors.New("gateway tls fingerprint requires wss:// gateway url")
		}
		transport.TLSClientConfig = &tls.Config{
			MinVersion: tls.VersionTLS13,
			// The pin takes the place of the chain's check, so that self-signed certificates work.
			InsecureSkipVerify: true,
			VerifyConnection: func(state tls.ConnectionState) error {
				sum := sha256.Sum256(state.PeerCertificates[0].Raw)
				if got := hex.EncodeToString(sum[:]); got != pin {
					return fmt.Errorf("gateway tls fingerprint mismatch: got %s", got)
				}
				return nil
			},
		}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func normalFingerprint(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	return strings.ReplaceAll(strings.TrimPrefix(text, "sha256:"), ":", "")
}
