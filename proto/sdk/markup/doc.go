// Package markup turns Markdown into a message.Text (plain text, spans, and the
// Markdown itself), cuts a text into pieces that a network takes, and helps a
// channel to write spans in its network's own markup.
//
// The supervisor parses and splits; a worker renders. Parse never fails: what is not
// Markdown is text. Raw HTML stays visible as text. All functions are pure and safe
// for concurrent use; the package does no I/O and never counts anything but text.
package markup
