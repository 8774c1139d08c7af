package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"github.com/openclaw/openclaw-supervisor/clientws"
	"github.com/openclaw/openclaw-supervisor/clientws/json5"
)

// gatewayCmd is `openclaw gateway`.
type gatewayCmd struct {
	Run    gatewayRunCmd  `cmd:"" default:"withargs" help:"Run the gateway in the foreground; stop it with Ctrl-C."`
	Call   gatewayCallCmd `cmd:"" help:"Call any method of the running gateway."`
	Health healthCmd      `cmd:"" help:"Ask the running gateway for its health."`
}

type gatewayRunCmd struct {
	Port              int    `help:"Port of the control plane." placeholder:"N"`
	Bind              string `help:"Where to listen: loopback, lan, tailnet, auto or custom." placeholder:"MODE"`
	Token             string `help:"Shared token; better kept in the configuration, since other users see command lines." placeholder:"SECRET"`
	Auth              string `help:"How clients prove themselves: token or password." placeholder:"MODE"`
	Password          string `help:"Shared password; see --token." placeholder:"SECRET"`
	AllowUnconfigured bool   `help:"Start without gateway.mode=local, and make a configuration on the very first run."`
	Force             bool   `help:"End what listens on the port first."`
	Verbose           bool   `help:"Say more at the console."`
}

// Run becomes openclaw-supervisor.
func (c *gatewayRunCmd) Run(t *tool, root *cli) error {
	binary, err := supervisorBinary()
	if err != nil {
		return err
	}
	if c.Force {
		if err := c.free(t); err != nil {
			return err
		}
	}
	args := append([]string{binary}, c.args(t, root)...)
	if runtime.GOOS == "windows" {
		return fail("run it inside WSL2", "the gateway does not run on Windows itself")
	}
	err = syscall.Exec(binary, args, os.Environ())
	return fail("is the file executable, and built for this machine?", "%s cannot be run: %v", binary, err)
}

// args are the supervisor's own flags.
func (c *gatewayRunCmd) args(t *tool, root *cli) []string {
	var args []string
	add := func(name, value string) {
		if value != "" {
			args = append(args, name+"="+value)
		}
	}
	if c.Port > 0 {
		add("--port", strconv.Itoa(c.Port))
	}
	add("--bind", c.Bind)
	add("--auth", c.Auth)
	add("--token", c.Token)
	add("--password", c.Password)
	if root.Profile != "" {
		add("--profile", root.Profile)
	}
	flag := func(name string, set bool) {
		if set {
			args = append(args, name)
		}
	}
	flag("--allow-unconfigured", c.AllowUnconfigured)
	flag("--dev", root.Dev)
	flag("--verbose", c.Verbose)
	return args
}

// free ends the listeners on the port that the gateway will use.
func (c *gatewayRunCmd) free(t *tool) error {
	port := c.Port
	if port == 0 {
		settings, env, err := t.settings()
		if err != nil {
			return err
		}
		if port, err = t.port(settings, env); err != nil {
			return err
		}
	}
	return t.freePort(port)
}

// supervisorBinary finds the supervisor beside this program, else in PATH.
func supervisorBinary() (string, error) {
	const name = "openclaw-supervisor"
	if self, err := os.Executable(); err == nil {
		if self, err = filepath.EvalSymlinks(self); err == nil {
			beside := filepath.Join(filepath.Dir(self), name)
			if info, err := os.Stat(beside); err == nil && !info.IsDir() {
				return beside, nil
			}
		}
	}
	if found, err := exec.LookPath(name); err == nil {
		return filepath.Abs(found)
	}
	return "", fail("install it beside this program", "%s is not beside this program and not in PATH", name)
}

type gatewayCallCmd struct {
	Method      string `arg:"" help:"Method, for example health or config.get."`
	Params      string `help:"Parameters as JSON." default:"{}"`
	ExpectFinal bool   `help:"Wait for the second answer of a method that gives two."`
	Timeout     int    `help:"How long to wait, in milliseconds." default:"10000"`
	rpc
}

// Run calls the method and prints its answer as JSON.
func (c *gatewayCallCmd) Run(t *tool) error {
	doc, err := json5.NewDocument([]byte(c.Params))
	if err != nil {
		return fail("write an object: --params '{\"key\": 1}'", "--params is no JSON: %v", err)
	}
	var options []clientws.CallOption
	if c.ExpectFinal {
		options = append(options, clientws.Final(nil))
	}
	var result json.RawMessage
	if err := t.call(c.rpc, millis(c.Timeout), c.Method, doc.Value(), &result, options...); err != nil {
		var f *failure
		if errors.As(err, &f) && len(result) > 0 {
			t.note("%s", result)
		}
		return err
	}
	if len(result) == 0 {
		result = json.RawMessage("null")
	}
	return t.json(result)
}

// portOwner is a process that listens on a port.
type portOwner struct {
	pid     int
	command string
}

func (o portOwner) String() string { return fmt.Sprintf("pid %d (%s)", o.pid, orDash(o.command)) }
