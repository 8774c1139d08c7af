// Package catalog finds the programs that workers run: the bundled ones beside the
// supervisor, and the plugins in the plugin folders.
//
// What was checked is what runs: a file from a plugin folder is copied to a private place
// under its SHA-256, and the copy is handed out. A file that differs from its pin, that others can write,
// or that leads out of its folder is refused, with the remedy. Bundled programs are trusted like the supervisor itself.
//
// Concurrency: a Catalog may be used from any goroutine. It starts nothing and runs nothing.
package catalog
