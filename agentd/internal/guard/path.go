package guard

import (
	"fmt"
	"os"
	"os/exec"
)

// lookPath finds the program in the command's own PATH, which is the guard's.
func lookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	return path, nil
}

// tell writes one line to the other side; when that is gone there is nobody to tell.
func tell(status *os.File, format string, args ...any) {
	_, _ = fmt.Fprintf(status, format, args...)
}
