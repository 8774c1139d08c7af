package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// newToken makes a gateway token: 48 hexadecimal characters.
func newToken() string {
	raw := make([]byte, 24)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// readSecret reads a file that holds one secret; blanks around it are not part of it.
func readSecret(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(data))
	if secret == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return secret, nil
}

// createExclusive writes a new file with mode 0600, whole, and fails with fs.ErrExist where one is there already.
func createExclusive(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	// A link, unlike a rename, never replaces what is there.
	return os.Link(temp.Name(), file)
}

// generatedToken reads the generated gateway token, making it when there is none.
func generatedToken(file string) (string, error) {
	for {
		token, err := readSecret(file)
		if err == nil {
			return token, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("read gateway token: %w", err)
		}
		token = newToken()
		err = createExclusive(file, []byte(token+"\n"))
		if err == nil {
			return token, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("make gateway token: %w", err)
		}
	}
}
