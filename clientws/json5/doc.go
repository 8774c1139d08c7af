// Package json5 reads and edits JSON5 files that people write by hand.
//
// It owns three things: a parser that knows where every value stands (line and column, also in its errors); a
// [Document] whose edits touch only the bytes of the keys they name, so that comments, order, quoting and
// placeholders of everything else stay as they were; and [UpdateFile], the one way in which the command line and the
// supervisor write such a file: under one kernel lock, with numbered backups, atomically.
//
// Parsing is a pure function and may be called from any goroutine. A Document belongs to one goroutine at a time.
// The package never interprets what a file means: includes, environment and schema are the business of package config.
package json5
