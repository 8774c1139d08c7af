package catalog

import (
	"fmt"
	"io/fs"
	"os"
	"time"
)

// version tells the contents that a file has had apart without reading it.
type version struct {
	dev, ino       uint64
	size           int64
	mtime, ctimeNS int64 // unix nanoseconds
}

// String is short enough for a revision.
func (v version) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", v.dev, v.ino, v.size, v.mtime, v.ctimeNS)
}

// age is the time since the file was last written to, or put there. A time in the future counts as long ago.
func (v version) age() time.Duration {
	age := time.Since(time.Unix(0, max(v.mtime, v.ctimeNS)))
	if age < 0 {
		return time.Hour
	}
	return age
}

func versionOf(info fs.FileInfo) version {
	v := version{size: info.Size(), mtime: info.ModTime().UnixNano()}
	v.dev, v.ino, v.ctimeNS = inodeOf(info)
	return v
}

// revisionOf is empty where there is no file.
func revisionOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return versionOf(info).String()
}
