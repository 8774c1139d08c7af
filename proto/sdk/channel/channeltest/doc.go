// Package channeltest holds the contract suite that every channel passes: Run takes a
// Factory and proves, through a real gRPC connection, what the supervisor relies on.
//
// A channel's own tests use the same harness: Connect puts a plugin behind gRPC and
// gives the supervisor's end of it, with the acknowledgements in the test's hand.
// Scripted is a plugin made of funcs, for tests of a supervisor's side.
//
// Nothing here sleeps: what is awaited has a deadline. The package is for tests, but
// imports no testing package, so that a shipped binary can check a plugin too.
package channeltest

import (
	"context"
	"encoding/json"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/channel"
)

// TB is what the harness needs of *testing.T.
type TB interface {
	Helper()
	Cleanup(f func())
	Context() context.Context
	TempDir() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Runner is a TB with subtests; *testing.T is a Runner[*testing.T].
type Runner[T any] interface {
	TB
	Run(name string, f func(T)) bool
}

// Factory makes a fresh plugin with a network of its own; it is called once per subtest.
type Factory func(tb TB) Subject

// Subject is a plugin and the far side of its network. A hook that is nil skips the
// subtests that need it, except those that are marked needed.
type Subject struct {
	// Plugin under test; needed.
	Plugin channel.Plugin
	// Config is a channel-level block that Configure takes; empty = {}.
	Config json.RawMessage
	// InvalidConfig is a block that Configure refuses, naming InvalidPath.
	InvalidConfig json.RawMessage
	InvalidPath   string
	// Account gives the settings of an account that can connect; needed. The ids that the
	// suite uses are "default" and "second".
	Account func(id channel.AccountID) json.RawMessage
	// BadAccount is an account's settings with which it must end terminal.
	BadAccount json.RawMessage
	// Conversation is a direct chat that the account can write to; needed.
	Conversation func(id channel.AccountID) channel.ConversationID

	// Deliver lets a person write a direct message to the account; needed.
	Deliver func(id channel.AccountID, text string)
	// Confirmed counts the delivered messages that the network thinks the account has.
	Confirmed func(id channel.AccountID) int
	// Redelivers tells that the network gives again what was not confirmed.
	Redelivers bool
	// Sent lists the texts that the network took from the account, in order; needed.
	Sent func(id channel.AccountID) []string

	// Refuse makes the network refuse the next send for good, Reject makes it turn the next
	// send away for now, LoseAnswer makes it take the next send and lose the answer.
	Refuse, Reject, LoseAnswer func()
	// Hold makes the network keep the next send; held is closed when it has come, and
	// release lets it be taken.
	Hold func() (held <-chan struct{}, release func())
	// HasCredentials tells whether there is something that Logout deletes.
	HasCredentials func(id channel.AccountID) bool
}
