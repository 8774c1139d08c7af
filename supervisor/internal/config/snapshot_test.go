package config

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	source "github.com/openclaw/openclaw-supervisor/clientws/config"
)

func snapshotOf(t *testing.T, text string, env source.Environ) *Snapshot {
	t.Helper()
	f := newFixture(t, text)
	f.opts.AllowUnconfigured = true
	for name, value := range env {
		f.opts.Environ[name] = value
	}
	return f.open().Snapshot()
}

func TestEveryKeyIsClassified(t *testing.T) {
	for _, leaf := range source.Leaves() {
		if class, ok := Classify(leaf.Path); !ok || class == "" {
			t.Errorf("%s has no class", leaf.Path)
		}
	}
	for _, rule := range classRules() {
		known := slices.ContainsFunc(source.Leaves(), func(l source.Leaf) bool {
			return fits(strings.Split(rule.prefix, "."), strings.Split(strings.ReplaceAll(l.Path, "[]", ""), "."))
		})
		if !known {
			t.Errorf("the rule %q is for no key of the schema", rule.prefix)
		}
	}
}

func TestClasses(t *testing.T) {
	for path, want := range map[string]Class{
		"meta.lastTouchedAt": ClassNone, "gateway.port": ClassListener, "gateway.auth.token": ClassListener, "gateway.controlUi.root": ClassLive,
		"channels.telegram.botToken": ClassAccount, "channels.telegram.allowFrom": ClassLive, "channels.telegram.accounts.b.proxy": ClassAccount,
		"channels.telegram.accounts.b.allowFrom": ClassLive, `channels.telegram.groups["-1"].requireMention`: ClassLive, "channels.whatsapp.hostLock": ClassProcess,
		"channels.thirdparty.anything": ClassAccount, "supervisor.limits.agentd.memoryMb": ClassProcess, "supervisor.workersDir": ClassSupervisor,
		"agents.defaults.model.primary": ClassLive, "agents.list": ClassLive, "web.reconnect.factor": ClassAccount,
	} {
		if got, _ := Classify(path); got != want {
			t.Errorf("Classify(%s) = %s, want %s", path, got, want)
		}
	}
	if class, ok := Classify("nobody.knows"); ok || class != ClassSupervisor {
		t.Errorf("unknown key: %s, %v", class, ok)
	}
}

func TestChannelAccounts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	type account struct {
		token, source string
		enabled       bool
	}
	tests := map[string]struct {
		text     string
		env      source.Environ
		channel  string
		fallback string
		want     map[string]account
	}{
		"no map":        {"{channels:{telegram:{botToken:'a'}}}", nil, "telegram", "default", map[string]account{"default": {"a", "config", true}}},
		"environment":   {"{channels:{telegram:{}}}", source.Environ{"TELEGRAM_BOT_TOKEN": "e"}, "telegram", "default", map[string]account{"default": {"e", "env", true}}},
		"no section":    {"{}", source.Environ{"TELEGRAM_BOT_TOKEN": "e"}, "telegram", "default", map[string]account{"default": {"e", "env", true}}},
		"config wins":   {"{channels:{telegram:{botToken:'a'}}}", source.Environ{"TELEGRAM_BOT_TOKEN": "e"}, "telegram", "default", map[string]account{"default": {"a", "config", true}}},
		"file":          {"{channels:{telegram:{tokenFile:'" + file + "'}}}", nil, "telegram", "default", map[string]account{"default": {"from-file", "tokenFile", true}}},
		"own over file": {"{channels:{telegram:{tokenFile:'" + file + "',accounts:{b:{botToken:'b'}}}}}", nil, "telegram", "b", map[string]account{"b": {"b", "config", true}}},
		"env only for default": {"{channels:{telegram:{accounts:{Work:{},default:{}}}}}", source.Environ{"TELEGRAM_BOT_TOKEN": "e"}, "telegram", "default",
			map[string]account{"default": {"e", "env", true}, "work": {"", "none", true}}},
		"first is default": {"{channels:{telegram:{accounts:{z:{botToken:'z'},a:{botToken:'a',enabled:false}}}}}", nil, "telegram", "a",
			map[string]account{"z": {"z", "config", true}, "a": {"a", "config", false}}},
		"channel off":  {"{channels:{telegram:{enabled:false,botToken:'a',accounts:{b:{enabled:true}}}}}", nil, "telegram", "b", map[string]account{"b": {"a", "config", false}}},
		"whatsapp off": {"{web:{enabled:false},channels:{whatsapp:{}}}", nil, "whatsapp", "default", map[string]account{"default": {"", "none", false}}},
		"third party":  {"{channels:{echo:{anything:1}}}", nil, "echo", "default", map[string]account{"default": {"", "none", true}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			channel, ok := snapshotOf(t, test.text, test.env).ChannelBlock(test.channel)
			if !ok || channel.DefaultAccount != test.fallback {
				t.Fatalf("configured %v, default account %q", ok, channel.DefaultAccount)
			}
			got := map[string]account{}
			for _, a := range channel.Accounts {
				var block struct{ BotToken, TokenFile string }
				if err := a.Decode(&block); err != nil || block.TokenFile != "" {
					t.Errorf("block %s: %v", a.JSON, err)
				}
				got[a.ID] = account{block.BotToken, a.TokenSource, a.Enabled}
			}
			if diff := cmp.Diff(got, test.want, cmp.AllowUnexported(account{})); diff != "" {
				t.Errorf("accounts (-got +want):\n%s", diff)
			}
			if strings.Contains(string(channel.Common), "oken") || strings.Contains(string(channel.Common), "accounts") {
				t.Errorf("common block holds what belongs to accounts: %s", channel.Common)
			}
		})
	}
	missing, _ := snapshotOf(t, "{channels:{telegram:{tokenFile:'/nowhere/x'}}}", nil).ChannelBlock("telegram")
	if a := missing.Accounts[0]; a.TokenSource != "none" || !strings.Contains(a.Problem, "/nowhere/x") {
		t.Errorf("missing token file: %+v", a)
	}
	if _, ok := snapshotOf(t, "{}", nil).ChannelBlock("telegram"); ok {
		t.Error("a channel nobody configured has a block")
	}
	merged, _ := snapshotOf(t, "{channels:{defaults:{groupPolicy:'open'},telegram:{historyLimit:3,accounts:{a:{historyLimit:4}}}}}", nil).ChannelBlock("telegram")
	if got, want := string(merged.Accounts[0].JSON), `{"enabled":true,"groupPolicy":"open","historyLimit":4}`; got != want {
		t.Errorf("merged = %s, want %s", got, want)
	}
}

func TestChangesTouchWhatTheyName(t *testing.T) {
	const before = "{channels:{telegram:{botToken:'a',allowFrom:[1],accounts:{x:{},y:{}}},whatsapp:{},discord:{token:'d'}}}"
	tests := map[string]struct {
		after    string
		accounts []AccountChange
		workers  []string
	}{
		"one account":     {"{channels:{telegram:{botToken:'a',allowFrom:[1],accounts:{x:{proxy:'p'},y:{}}},whatsapp:{},discord:{token:'d'}}}", []AccountChange{{"telegram", "x", AccountChanged}}, nil},
		"live key":        {"{channels:{telegram:{botToken:'a',allowFrom:[2],accounts:{x:{dmPolicy:'allowlist'},y:{}}},whatsapp:{},discord:{token:'d'}}}", nil, nil},
		"whole channel":   {"{channels:{telegram:{botToken:'b',allowFrom:[1],accounts:{x:{},y:{}}},whatsapp:{},discord:{token:'d'}}}", []AccountChange{{"telegram", "x", AccountChanged}, {"telegram", "y", AccountChanged}}, nil},
		"account removed": {"{channels:{telegram:{botToken:'a',allowFrom:[1],accounts:{y:{}}},whatsapp:{},discord:{token:'d'}}}", []AccountChange{{"telegram", "x", AccountRemoved}}, nil},
		"account added":   {"{channels:{telegram:{botToken:'a',allowFrom:[1],accounts:{x:{},y:{},z:{}}},whatsapp:{},discord:{token:'d'}}}", []AccountChange{{"telegram", "z", AccountAdded}}, nil},
		"channel off":     {"{channels:{telegram:{botToken:'a',allowFrom:[1],accounts:{x:{},y:{}}},whatsapp:{},discord:{token:'d',enabled:false}}}", []AccountChange{{"discord", "default", AccountDisabled}}, nil},
		"channel removed": {"{channels:{telegram:{botToken:'a',allowFrom:[1],accounts:{x:{},y:{}}},whatsapp:{}}}", []AccountChange{{"discord", "default", AccountRemoved}}, nil},
		"host lock":       {"{channels:{telegram:{botToken:'a',allowFrom:[1],accounts:{x:{},y:{}}},whatsapp:{hostLock:'account'},discord:{token:'d'}}}", nil, []string{"whatsapp"}},
		"limits":          {strings.TrimSuffix(before, "}") + ",supervisor:{limits:{agentd:{memoryMb:9}}}}", nil, []string{"agentd"}},
		"reconnect":       {strings.TrimSuffix(before, "}") + ",web:{reconnect:{factor:2}}}", []AccountChange{{"whatsapp", "default", AccountChanged}}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := changeBetween(snapshotOf(t, before, nil), snapshotOf(t, test.after, nil))
			if diff := cmp.Diff(c.Accounts, test.accounts); diff != "" {
				t.Errorf("accounts (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(c.Workers, test.workers); diff != "" {
				t.Errorf("workers (-got +want):\n%s", diff)
			}
			if c.Empty() || c.Listener {
				t.Errorf("change = %+v", c)
			}
		})
	}
	c := changeBetween(snapshotOf(t, "{gateway:{port:1}}", nil), snapshotOf(t, "{gateway:{port:2},plugins:{deny:['x']},supervisor:{workersDir:'/x'}}", nil))
	if !c.Listener || !c.Plugins || !slices.Equal(c.Waiting, []string{"supervisor.workersDir"}) || !slices.Equal(c.Paths, []string{"gateway.port", "plugins.deny", "supervisor.workersDir"}) {
		t.Errorf("change = %+v", c)
	}
}

func TestListen(t *testing.T) {
	tests := map[string]struct {
		text  string
		env   source.Environ
		over  Overrides
		want  string
		fails string
	}{
		"config":          {"{gateway:{port:5,auth:{token:'c'}}}", source.Environ{"OPENCLAW_GATEWAY_TOKEN": "e"}, Overrides{}, "5 config token c config", ""},
		"env":             {"{gateway:{port:5}}", source.Environ{"OPENCLAW_GATEWAY_TOKEN": "e", "OPENCLAW_GATEWAY_PORT": "6"}, Overrides{}, "6 env token e env", ""},
		"flags":           {"{gateway:{port:5,auth:{token:'c'}}}", source.Environ{"OPENCLAW_GATEWAY_PORT": "6"}, Overrides{Port: 7, Token: "f"}, "7 flag token f flag", ""},
		"password":        {"{gateway:{auth:{password:'p'}}}", nil, Overrides{}, "18789 default password p config", ""},
		"mode decides":    {"{gateway:{auth:{mode:'token',token:'t',password:'p'}}}", nil, Overrides{}, "18789 default token t config", ""},
		"no password":     {"{gateway:{auth:{mode:'password'}}}", nil, Overrides{}, "", "no password is configured"},
		"lan, no secret":  {"{gateway:{bind:'lan'}}", nil, Overrides{}, "", "refusing to bind gateway"},
		"bad port":        {"{}", source.Environ{"OPENCLAW_GATEWAY_PORT": "x"}, Overrides{}, "", "no port number"},
		"custom, no host": {"{gateway:{bind:'custom'}}", nil, Overrides{}, "", "customBindHost"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := snapshotOf(t, test.text, test.env)
			s.overrides = test.over
			l, err := s.Listen()
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("got %v, want …%s…", err, test.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			data, _ := json.Marshal(l.Port)
			if got := strings.Join([]string{string(data), l.PortSource, l.Auth.Mode, l.Auth.Secret(), l.Auth.Source}, " "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestGeneratedTokenIsMadeOnceAndKept(t *testing.T) {
	f := newFixture(t, "{gateway:{mode:'local'}}")
	first, err := f.open().Snapshot().Listen()
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.open().Snapshot().Listen()
	if err != nil || first.Auth.Token != second.Auth.Token || len(first.Auth.Token) != 48 || first.Auth.Source != "file" {
		t.Errorf("tokens %+v, %+v, %v", first.Auth, second.Auth, err)
	}
	if info, err := os.Stat(f.opts.Paths.GatewayTokenFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("token file: %v, %v", info, err)
	}
}

func TestHosts(t *testing.T) {
	local := []netip.Addr{netip.MustParseAddr("192.168.1.2"), netip.MustParseAddr("100.100.1.2")}
	for bind, want := range map[string]string{"loopback": "127.0.0.1 ::1", "auto": "127.0.0.1", "lan": "0.0.0.0", "custom": "10.0.0.1", "tailnet": "100.100.1.2"} {
		got, err := Listen{Bind: bind, CustomHost: "10.0.0.1"}.Hosts(local)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s = %v, %v", bind, got, err)
		}
	}
	if _, err := (Listen{Bind: "tailnet"}).Hosts(local[:1]); err == nil {
		t.Error("bind tailnet without a tailnet was widened")
	}
}

func TestAgentBlock(t *testing.T) {
	s := snapshotOf(t, `{models:{providers:{fake:{baseUrl:'http://x',apiKey:'FAKE_KEY'},lit:{baseUrl:'http://y',apiKey:'sk-1'}}},
		agents:{defaults:{workspace:'~/w',model:'fake/m'},list:[{id:'main'},{id:'b',workspace:'~/b'}]},tools:{profile:'full'},
		channels:{telegram:{botToken:'${MY_TG}'}},env:{vars:{MINE:'1'}}}`,
		source.Environ{"OPENAI_API_KEY": "sk-env", "FAKE_KEY": "resolved", "MY_TG": "tg", "GH_TOKEN": "kept", "OPENCLAW_GATEWAY_TOKEN": "g"})
	var block struct {
		Models struct {
			Providers map[string]struct{ APIKey string }
		}
		Agents struct {
			Defaults struct{ Workspace string }
			List     []struct{ ID, Workspace string }
		}
		Tools struct{ Profile string }
		Auth  map[string]ProviderAuth
		Env   map[string]string
		Paths map[string]string
	}
	if err := json.Unmarshal(s.AgentBlock(), &block); err != nil {
		t.Fatal(err)
	}
	wantAuth := map[string]ProviderAuth{"openai": {"sk-env", "env"}, "fake": {"resolved", "config"}, "lit": {"sk-1", "config"}}
	if diff := cmp.Diff(block.Auth, wantAuth); diff != "" {
		t.Errorf("auth (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(block.Env, map[string]string{"PATH": "/bin", "GH_TOKEN": "kept", "MINE": "1"}); diff != "" {
		t.Errorf("environment of tools (-got +want):\n%s", diff)
	}
	home := s.Paths.Home
	if block.Models.Providers["fake"].APIKey != "resolved" || block.Agents.Defaults.Workspace != home+"/w" || block.Agents.List[0].Workspace != home+"/w" ||
		block.Agents.List[1].Workspace != home+"/b" || block.Tools.Profile != "full" || block.Paths["workspace"] != home+"/w" || block.Paths["stateDir"] != s.Paths.StateDir {
		t.Errorf("block = %+v", block)
	}
}
