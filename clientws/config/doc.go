// Package config knows what openclaw.json may hold and how it is read, for the command line (offline) and for the
// supervisor alike: where the file lies, its schema and defaults, includes, environment substitution, legacy keys, and
// what is wrong with it, each problem with path, file, line, column and what to do.
//
// [Load] reads and never writes; [Edit] is the one way to write, through package json5: under the file's lock, with a
// numbered backup, comments and order kept, refused when the result would be invalid. Everything that Load gives is a
// value of its own; nothing here holds a lock or a goroutine after it has returned.
//
// The package does not know which plugins exist: a channel without a known schema is kept as it stands, and
// package pluginschema checks such a block once its plugin has told its own schema.
package config
