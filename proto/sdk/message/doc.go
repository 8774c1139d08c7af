// Package message holds the nouns of the contracts in Go: who wrote what where,
// formatted text, media references, and the outcome of a send.
//
// All types are plain values, safe to copy and to read from several goroutines.
// Offsets of spans count bytes of UTF-8. Times are unix milliseconds UTC. The
// package does no I/O; its Marshal and Unmarshal functions give the stored
// (protobuf) form of a message.
package message

// AccountID names one login of a channel ("default", "work"). Lower-case.
type AccountID string

// ConversationID is the network's id of the chat a message belongs to; opaque to
// all but the channel that made it.
type ConversationID string

// ThreadID is a topic or thread inside a conversation; empty where there is none.
type ThreadID string

// MessageID is the network's id of one message.
type MessageID string

// DeliveryID is our deterministic name of one outbound delivery: 24 characters of
// base32, short enough for every network's idempotency key.
type DeliveryID string

// PersonID is the network's lasting id of a person, as it stands in allow-lists.
type PersonID string
