package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openclaw/openclaw-supervisor/proto/sdk/plugin"
)

// notStarted says why the system could not run a file. Where trying again can help, as
// when the machine is short of memory, it is not terminal.
func notStarted(path string, err error) startFailure {
	f := startFailure{terminal: true, err: err}
	switch {
	case errors.Is(err, os.ErrNotExist):
		if _, serr := os.Stat(path); serr == nil {
			f.condition = Condition{CodeWrongArch, path + " needs a loader or an interpreter that this machine does not have", "install the build of the plugin for this machine"}
			return f
		}
		f.condition = Condition{CodeMissing, path + " does not exist", "install the plugin again, or remove its channel from the config"}
	case errors.Is(err, os.ErrPermission):
		f.condition = Condition{CodeNotExecutable, path + " may not be executed", "chmod +x " + path}
	case errors.Is(err, syscall.ENOEXEC):
		f.condition = Condition{CodeWrongArch, path + " is not a program that this machine can run", "install the build of the plugin for this machine"}
	default:
		f.terminal = false
		f.condition = Condition{CodeStartFailed, fmt.Sprintf("%s could not be started: %v", path, err), ""}
	}
	return f
}

// badHandshake says why go-plugin did not come to terms with a process. It goes by what
// the process wrote, not by the words of the error.
func badHandshake(path, line string, err error) startFailure {
	parts := strings.Split(strings.TrimSpace(line), "|")
	core, coreErr := strconv.Atoi(parts[0])
	switch {
	case strings.TrimSpace(line) == "":
		return startFailure{condition: Condition{CodeStartFailed, "ended before its handshake", "openclaw workers logs shows what it wrote"}, err: err}
	case len(parts) < 4 || coreErr != nil:
		return startFailure{terminal: true, err: err, condition: Condition{CodeNotAPlugin,
			fmt.Sprintf("%s is no OpenClaw plugin: instead of a handshake it wrote %s", path, quoted(line)), "put a plugin in its place, or remove the file"}}
	case core != goplugin.CoreProtocolVersion:
		return startFailure{terminal: true, err: err, condition: Condition{CodeWrongContract,
			fmt.Sprintf("the supervisor speaks version %d of the plugin handshake, the plugin %d", goplugin.CoreProtocolVersion, core), "rebuild the plugin with the present SDK"}}
	}
	if major, merr := strconv.ParseUint(parts[1], 10, 32); merr != nil || major != plugin.ContractMajor {
		mismatch := &plugin.VersionMismatchError{Contract: plugin.ContractPlugin, Ours: []uint32{plugin.ContractMajor}}
		if merr == nil {
			mismatch.Theirs = []uint32{uint32(major)}
		}
		return wrongContract(mismatch)
	}
	if len(parts) < 5 || parts[4] != string(goplugin.ProtocolGRPC) {
		return startFailure{terminal: true, err: err, condition: Condition{CodeWrongContract, "the plugin does not speak gRPC", "rebuild the plugin with the present SDK"}}
	}
	return startFailure{condition: Condition{CodeStartFailed, fmt.Sprintf("could not be reached: %v", err), ""}, err: err}
}

func quoted(line string) string {
	if r := []rune(line); len(r) > 80 {
		line = string(r[:80]) + "…"
	}
	return strconv.Quote(line)
}

func wrongContract(err error) startFailure {
	return startFailure{terminal: true, err: err, condition: Condition{CodeWrongContract, err.Error(), "openclaw plugins list"}}
}

// badDescription checks what a plugin says of itself; nil where it fits.
func badDescription(s Spec, d plugin.Description) *startFailure {
	if err := plugin.CheckContracts(d); err != nil {
		f := wrongContract(err)
		return &f
	}
	if d.Kind != s.Kind {
		return &startFailure{terminal: true, condition: Condition{CodeNotAPlugin, fmt.Sprintf("%s is a plugin of another kind than is needed here", s.Path), "put the right plugin in its place"}}
	}
	if s.Kind == plugin.KindChannel && d.ID != s.ID {
		return &startFailure{terminal: true, condition: Condition{CodeWrongID, fmt.Sprintf("%s says that it is the plugin %q, not %q", s.Path, d.ID, s.ID), "name the file openclaw-channel-" + d.ID}}
	}
	return nil
}

// badCall says why a call of the start failed.
func badCall(what string, err error) startFailure {
	var invalid *plugin.InvalidConfigError
	switch {
	case errors.As(err, &invalid):
		return startFailure{terminal: true, err: invalid, condition: Condition{CodeInvalidConfig, invalid.Error(), "correct the config"}}
	case status.Code(err) == codes.Unimplemented:
		return wrongContract(&plugin.VersionMismatchError{Contract: plugin.ContractPlugin, Ours: []uint32{plugin.ContractMajor}})
	case status.Code(err) == codes.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded):
		return startFailure{hang: true, err: err, condition: Condition{CodeStartTimeout, "did not answer " + what + " in time", ""}}
	}
	return startFailure{err: err, condition: Condition{CodeStartFailed, fmt.Sprintf("%s failed: %v", what, err), ""}}
}
