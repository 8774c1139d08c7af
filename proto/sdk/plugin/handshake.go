package plugin

import (
	"fmt"
	"strings"

	goplugin "github.com/hashicorp/go-plugin"
)

// ContractMajor is the major version of the contracts and go-plugin's protocol
// number. Changing it, or the handshake below, makes every worker that is already
// built unable to start.
const ContractMajor = 1

// Handshake tells a worker that it was started by the supervisor and not by hand.
// It is a courtesy to people, not a secret: privacy comes from the socket's
// directory and mutual TLS.
var Handshake = goplugin.HandshakeConfig{
	ProtocolVersion:  ContractMajor,
	MagicCookieKey:   "OPENCLAW_PLUGIN",
	MagicCookieValue: "openclaw-worker-v1",
}

// Names of the contracts, as they stand in Description.Contracts.
const (
	ContractPlugin  = "openclaw.plugin"
	ContractChannel = "openclaw.channel"
	ContractAgent   = "openclaw.agent"
)

// ContractVersions names the versions of one contract that a side can speak.
type ContractVersions struct {
	Name     string
	Versions []uint32
}

// VersionMismatchError says that two sides have no version of a contract in common.
type VersionMismatchError struct {
	Contract string
	// Ours and Theirs are the versions that host and worker speak.
	Ours, Theirs []uint32
}

// Error names both sides' versions and which side is to be upgraded.
func (e *VersionMismatchError) Error() string {
	remedy := "upgrade the plugin"
	if len(e.Theirs) > 0 && len(e.Ours) > 0 && e.Theirs[0] > e.Ours[len(e.Ours)-1] {
		remedy = "upgrade openclaw-supervisor"
	}
	theirs := "none"
	if len(e.Theirs) > 0 {
		theirs = versionList(e.Theirs)
	}
	return fmt.Sprintf("contract %s: the supervisor speaks version %s, the plugin %s: %s", e.Contract, versionList(e.Ours), theirs, remedy)
}

func versionList(vs []uint32) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = fmt.Sprint(v)
	}
	return strings.Join(parts, ", ")
}

// CheckContracts compares what a worker says with what this build speaks: the
// base contract and the one of its kind. It returns a *VersionMismatchError, or nil.
func CheckContracts(d Description) error {
	need := []string{ContractPlugin}
	switch d.Kind {
	case KindChannel:
		need = append(need, ContractChannel)
	case KindAgent:
		need = append(need, ContractAgent)
	}
	ours := []uint32{ContractMajor}
	for _, name := range need {
		var theirs []uint32
		for _, c := range d.Contracts {
			if c.Name == name {
				theirs = c.Versions
			}
		}
		common := false
		for _, v := range theirs {
			common = common || v == ContractMajor
		}
		if !common {
			return &VersionMismatchError{Contract: name, Ours: ours, Theirs: theirs}
		}
	}
	return nil
}
