package access

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/openclaw/openclaw-supervisor/clientws/protocol"
)

// Mode says which shared secret is asked for.
type Mode string

// Modes.
const (
	ModeToken    Mode = "token"
	ModePassword Mode = "password"
)

// Secret is the shared secret as configured now.
type Secret struct {
	Mode     Mode
	Token    string
	Password string
}

// want is the value that is asked for.
func (s Secret) want() string {
	if s.Mode == ModePassword {
		return s.Password
	}
	return s.Token
}

// given is what the client offers in that mode.
func (s Secret) given(a *protocol.Auth) string {
	switch {
	case a == nil:
		return ""
	case s.Mode == ModePassword:
		return a.Password
	}
	return a.Token
}

// matches compares in a time that tells neither content nor length.
func matches(want, got string) bool {
	w, g := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got))
	return subtle.ConstantTimeCompare(w[:], g[:]) == 1 && want != "" && got != ""
}

// refusal is the text for a secret that did not match.
func (s Secret) refusal(c protocol.ClientInfo, got string) *protocol.Error {
	kind := string(ModeToken)
	if s.Mode == ModePassword {
		kind = string(ModePassword)
	}
	switch {
	case s.want() == "":
		return protocol.Invalid("unauthorized: gateway %s not configured on gateway (set gateway.auth.%s)", kind, kind)
	case got == "":
		return protocol.Invalid("unauthorized: gateway %s missing (%s)", kind, hint(c, kind))
	}
	return protocol.Invalid("unauthorized: gateway %s mismatch (%s)", kind, hint(c, kind))
}

func hint(c protocol.ClientInfo, kind string) string {
	switch {
	case c.ID == protocol.ClientCLI || c.Mode == protocol.ModeCLI:
		return "set gateway.remote." + kind + " to match gateway.auth." + kind
	case isBrowser(c):
		if kind == string(ModePassword) {
			return "enter the password in Control UI settings"
		}
		return "open the dashboard URL and paste the token in Control UI settings"
	}
	return "provide gateway auth " + kind
}

// isBrowser says whether the client is a page, which must show its origin.
func isBrowser(c protocol.ClientInfo) bool {
	return c.ID == protocol.ClientControlUI || c.ID == protocol.ClientWebChatUI || c.Mode == protocol.ModeWebChat
}
