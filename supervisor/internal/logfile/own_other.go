//go:build !unix

package logfile

import "os"

func ownDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
