package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd is `openclaw completion`.
type completionCmd struct {
	Name       string `arg:"" optional:"" name:"for" help:"Shell: bash, zsh or fish." enum:"bash,zsh,fish," default:""`
	Shell      string `short:"s" help:"Shell: bash, zsh or fish." enum:"bash,zsh,fish" default:"zsh" placeholder:"SHELL"`
	WriteState bool   `help:"Write the scripts of all shells into the state directory instead."`
}

// completeWord is what the scripts call this program with: the words up to the one that is being written.
const completeWord = "__complete"

// Run prints the shell's script, which asks this program for each completion and so never is out of date.
func (c *completionCmd) Run(t *tool) error {
	if !c.WriteState {
		shell := c.Shell
		if c.Name != "" {
			shell = c.Name
		}
		t.print("%s", completionScript(shell))
		return nil
	}
	dir := filepath.Join(t.paths.StateDir, "completions")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the completions: %w", err)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		file := filepath.Join(dir, "openclaw."+shell)
		if err := os.WriteFile(file, []byte(completionScript(shell)+"\n"), 0o600); err != nil {
			return fmt.Errorf("write the completions: %w", err)
		}
		t.print("Wrote %s", file)
	}
	return nil
}

func completionScript(shell string) string {
	switch shell {
	case "bash":
		return `# openclaw for bash: put  source <(openclaw completion bash)  into ~/.bashrc
_openclaw() {
  local name help
  COMPREPLY=()
  while IFS=$'\t' read -r name help; do
    COMPREPLY+=("$name")
  done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -o bashdefault -F _openclaw openclaw`
	case "fish":
		return `# openclaw for fish: openclaw completion fish > ~/.config/fish/completions/openclaw.fish
function __openclaw_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  $words[1] __complete $words[2..-1] "$current" 2>/dev/null
end
complete -c openclaw -a '(__openclaw_complete)'`
	}
	return `#compdef openclaw
# openclaw for zsh: put  source <(openclaw completion zsh)  into ~/.zshrc, below compinit
_openclaw() {
  local -a found
  local name help
  while IFS=$'\t' read -r name help; do
    found+=("${name//:/\\:}:$help")
  done < <("${words[1]/#\~/$HOME}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then
    _describe openclaw found
  else
    _files
  fi
}
if [ "$funcstack[1]" = _openclaw ]; then
  _openclaw "$@"
else
  compdef _openclaw openclaw
fi`
}

// candidate is a word that could stand next, and what it means.
type candidate struct{ word, help string }

// complete prints what could stand for the last of the words; nothing where that is a file or a text.
func (t *tool) complete(model *kong.Application, words []string) int {
	if len(words) == 0 {
		words = []string{""}
	}
	current := words[len(words)-1]
	node, flag := walk(model, words[:len(words)-1])
	for _, c := range candidates(node, flag, current) {
		if strings.HasPrefix(c.word, current) {
			t.print("%s\t%s", c.word, c.help)
		}
	}
	return 0
}

// walk finds the command that the words lead to, and the flag that waits for its value, nil for none.
func walk(model *kong.Application, words []string) (*kong.Node, *kong.Flag) {
	node := model.Node
	var waiting *kong.Flag
	for _, word := range words {
		switch {
		case waiting != nil:
			waiting = nil
		case strings.HasPrefix(word, "-"):
			if f := findFlag(node, word); f != nil && !f.IsBool() && !f.IsCounter() {
				waiting = f
			}
		default:
			for _, child := range node.Children {
				if child.Type == kong.CommandNode && (child.Name == word || slices.Contains(child.Aliases, word)) {
					node = child
					break
				}
			}
		}
	}
	return node, waiting
}

func findFlag(node *kong.Node, word string) *kong.Flag {
	for _, f := range flagsOf(node) {
		if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) || slices.Contains(f.Aliases, strings.TrimPrefix(word, "--")) {
			return f
		}
	}
	return nil
}

// flagsOf are the flags that may stand behind a command: its own, those above it, and those of the one it stands for.
func flagsOf(node *kong.Node) []*kong.Flag {
	var flags []*kong.Flag
	if node.DefaultCmd != nil {
		flags = append(flags, node.DefaultCmd.Flags...)
	}
	for ; node != nil; node = node.Parent {
		flags = append(flags, node.Flags...)
	}
	return flags
}

func candidates(node *kong.Node, flag *kong.Flag, current string) []candidate {
	var out []candidate
	switch {
	case flag != nil:
		out = values(flag.Value)
	case strings.HasPrefix(current, "-"):
		for _, f := range flagsOf(node) {
			if !f.Hidden {
				out = append(out, candidate{"--" + f.Name, f.Help})
			}
		}
	default:
		for _, child := range node.Children {
			if child.Type == kong.CommandNode && !child.Hidden {
				out = append(out, candidate{child.Name, child.Help})
			}
		}
		for _, positional := range node.Positional {
			out = append(out, values(positional)...)
		}
	}
	return out
}

func values(v *kong.Value) []candidate {
	var out []candidate
	for _, value := range v.EnumSlice() {
		if value != "" {
			out = append(out, candidate{value, ""})
		}
	}
	return out
}
