package pluginschema

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/openclaw/openclaw-supervisor/clientws/config"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

func TestCheck(t *testing.T) {
	schema := []byte(`{"type":"object","properties":{"baseUrl":{"type":"string"},"port":{"type":"integer"}},"required":["baseUrl"],"additionalProperties":false}`)
	dir := t.TempDir()
	file := filepath.Join(dir, config.FileName)
	if err := os.WriteFile(file, []byte("{\n channels: { echo: {\n  baseUrll: 'x',\n  port: 'y' } } }"), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(config.Options{Paths: config.Paths{Home: dir, StateDir: dir, ConfigFile: file}, Environ: config.Environ{}})
	if err != nil {
		t.Fatal(err)
	}
	at := json5.Path{"channels", "echo"}
	channels, _ := loaded.Tree["channels"].(map[string]any)
	problems, err := Check(at, channels["echo"], schema)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range loaded.Locate(problems) {
		got[p.Path] = fmt.Sprintf("%s %s", p.Pos, p.Remedy)
	}
	if len(got) != 3 || got["channels.echo.baseUrll"] != `line 3, column 3 did you mean "baseUrl"?` || got["channels.echo.port"] != "line 4, column 9 " {
		t.Errorf("problems: %v", got)
	}
	if _, err := Check(at, channels["echo"], []byte(`{"$ref":"file:///etc/passwd"}`)); err == nil {
		t.Error("a schema may read files")
	}
}
