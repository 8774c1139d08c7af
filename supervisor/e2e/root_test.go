package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// repoRoot is the checkout's top folder: the one that holds go.work.
func repoRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.work above the test's folder")
		}
		dir = up
	}
}
