package guard

import (
	"fmt"
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
