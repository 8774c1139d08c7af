package json5

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustPath(t *testing.T, text string) Path {
	t.Helper()
	path, err := ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSetKeepsEverythingElse(t *testing.T) {
	const commented = "// head\n{\n  // the port\n  gateway: { port: 18789, /* bind */ bind: 'lan' }, // same line\n\n  channels: {\n    telegram: {\n      botToken: \"${TG}\", // from env\n    },\n  },\n}\n// tail\n"
	tests := map[string]struct {
		src, path string
		value     any
		want      string
	}{
		"replace a scalar": {commented, "gateway.port", 1, strings.Replace(commented, "18789", "1", 1)},
		"equal value":      {commented, "gateway.port", 18789.0, commented},
		"add inside one line": {commented, "gateway.mode", "local",
			strings.Replace(commented, "'lan' }", "'lan', mode: \"local\" }", 1)},
		"add after a comment and comma": {commented, "channels.telegram.enabled", true,
			strings.Replace(commented, "// from env\n", "// from env\n      enabled: true,\n", 1)},
		"add a nested object": {commented, "channels.discord.dm.enabled", true,
			strings.Replace(commented, "    },\n  },\n", "    },\n    discord: {\n      dm: {\n        enabled: true\n      }\n    },\n  },\n", 1)},
		"into an empty object":      {"{}\n", "a.b", 1, "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n"},
		"into a commented empty":    {"{\n  // nothing yet\n}\n", "a", 1, "{\n  // nothing yet\n  \"a\": 1\n}\n"},
		"comment behind the last":   {"{\n  a: 1 // one\n}\n", "b", 2, "{\n  a: 1, // one\n  b: 2\n}\n"},
		"quoted style, tabs":        {"{\n\t\"a\": 1\n}\n", "b.c", 2, "{\n\t\"a\": 1,\n\t\"b\": {\n\t\t\"c\": 2\n\t}\n}\n"},
		"windows lines":             {"{\r\n  a: 1\r\n}\r\n", "b", 2, "{\r\n  a: 1,\r\n  b: 2\r\n}\r\n"},
		"append to array":           {"{a: [1, 2]}", "a[2]", 3, "{a: [1, 2, 3]}"},
		"append to array on lines":  {"{\n  a: [\n    1, // x\n  ]\n}", "a[1]", 2, "{\n  a: [\n    1, // x\n    2,\n  ]\n}"},
		"array element":             {"{a: [1, /*k*/ 2]}", "a[1]", 9, "{a: [1, /*k*/ 9]}"},
		"array insert in front":     {"{a: [\n  1, // one\n  2\n]}", "a", []int{0, 1, 2}, "{a: [\n  0,\n  1, // one\n  2\n]}"},
		"array loses one":           {"{a: [\n  1, // one\n  2, // two\n  3\n]}", "a", []int{1, 3}, "{a: [\n  1, // one\n  // two\n  3\n]}"},
		"object changes in part":    {"{a: {x: 1, /* y */ y: 2}}", "a", map[string]any{"x": 1, "y": 3}, "{a: {x: 1, /* y */ y: 3}}"},
		"through null":              {"{a: null}", "a.b", 1, "{a: {\n  b: 1\n}}"},
		"key that needs quotes":     {"{a: 1}", `["x y"]`, 2, "{a: 1, \"x y\": 2}"},
		"repeated key: last counts": {"{a: 1, a: 2}", "a", 3, "{a: 1, a: 3}"},
		"missing array":             {"{}", "list[0].id", "m", "{\n  \"list\": [\n    {\n      \"id\": \"m\"\n    }\n  ]\n}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			doc, err := NewDocument([]byte(test.src))
			if err != nil {
				t.Fatal(err)
			}
			path := mustPath(t, test.path)
			if err := doc.Set(path, test.value); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(doc.Bytes()), test.want); diff != "" {
				t.Errorf("text (-got +want):\n%s", diff)
			}
			want, err := Normalize(test.value)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := doc.Get(path); !Equal(got, want) {
				t.Errorf("value reads back as %v, want %v", got, want)
			}
		})
	}
}

func TestUnsetKeepsComments(t *testing.T) {
	tests := map[string]struct{ src, path, want string }{
		"only key on lines":      {"{\n  a: 1\n}\n", "a", "{\n}\n"},
		"first of two":           {"{\n  a: 1,\n  b: 2\n}\n", "a", "{\n  b: 2\n}\n"},
		"last of two":            {"{\n  a: 1,\n  b: 2\n}\n", "b", "{\n  a: 1\n}\n"},
		"last, comma kept style": {"{\n  a: 1,\n  b: 2,\n}\n", "b", "{\n  a: 1,\n}\n"},
		"one line":               {"{ a: 1, b: 2, c: 3 }", "b", "{ a: 1, c: 3 }"},
		"one line, last":         {"{a: 1, b: 2}", "b", "{a: 1}"},
		"comment above":          {"{\n  // why\n  a: 1,\n  b: 2\n}", "a", "{\n  // why\n  b: 2\n}"},
		"comment behind":         {"{\n  a: 1, // why\n  b: 2\n}", "a", "{\n  // why\n  b: 2\n}"},
		"comment before comma":   {"{\n  a: 1 /*x*/,\n  b: 2\n}", "a", "{\n  /*x*/\n  b: 2\n}"},
		"nested object":          {"{\n  a: {\n    b: 1\n  },\n  c: 2\n}", "a", "{\n  c: 2\n}"},
		"array element":          {"[1, 2, 3]", "[0]", "[2, 3]"},
		"repeated key goes":      {"{a: 1, b: 2, a: 3}", "a", "{b: 2}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			doc, err := NewDocument([]byte(test.src))
			if err != nil {
				t.Fatal(err)
			}
			was, err := doc.Unset(mustPath(t, test.path))
			if err != nil || !was {
				t.Fatalf("Unset = %v, %v", was, err)
			}
			if diff := cmp.Diff(string(doc.Bytes()), test.want); diff != "" {
				t.Errorf("text (-got +want):\n%s", diff)
			}
		})
	}
}

func TestRefusedEditsLeaveTheDocument(t *testing.T) {
	const src = "{a: 1, b: [1]}"
	doc, err := NewDocument([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"a.b", "b.c", "b[3]"} {
		if err := doc.Set(mustPath(t, path), 1); err == nil {
			t.Errorf("Set(%s) was accepted", path)
		}
	}
	if was, err := doc.Unset(mustPath(t, "x.y")); was || err != nil {
		t.Errorf("Unset of nothing = %v, %v", was, err)
	}
	if got := string(doc.Bytes()); got != src {
		t.Errorf("document became %q", got)
	}
}

func TestPosition(t *testing.T) {
	doc, err := NewDocument([]byte("{\n  gateway: {\n    port: 'x',\n  },\n  list: [\n    {id: 1}\n  ]\n}"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Pos{"gateway.port": {3, 5}, "list[0].id": {6, 6}, "list[0]": {6, 5}, "gateway.nope": {2, 3}, "": {1, 1}} {
		if got := doc.Position(mustPath(t, path)); got != want {
			t.Errorf("Position(%q) = %v, want %v", path, got, want)
		}
	}
	if got, want := doc.ValuePosition(mustPath(t, "gateway.port")), (Pos{3, 11}); got != want {
		t.Errorf("ValuePosition = %v, want %v", got, want)
	}
}

func TestPathText(t *testing.T) {
	for _, text := range []string{"", "a", "a.b[0].c", `groups["-100.5"].x`, "[0]", `a['x"y']`} {
		path := mustPath(t, text)
		if got := path.String(); got != text {
			t.Errorf("%q reads as %q and writes as %q", text, []string(path), got)
		}
	}
	for _, bad := range []string{".a", "a.", "a..b", "a[", "a[]", `a["b]`, "a.[0]"} {
		if path, err := ParsePath(bad); err == nil {
			t.Errorf("ParsePath(%q) = %q, want an error", bad, []string(path))
		}
	}
}

// FuzzEdit: after any accepted edit the text still parses and holds the value; what was not named keeps its value.
func FuzzEdit(f *testing.F) {
	f.Add([]byte("{a: 1, // c\n b: [1, 2,], }"), "b[1]", "x")
	f.Add([]byte("{}"), "a.b.c", "y")
	f.Add([]byte("{\n/*x*/}"), "a", "z")
	f.Add([]byte("{a:{b:1}/**/}"), "a.c", "z")
	f.Fuzz(func(t *testing.T, src []byte, pathText, value string) {
		doc, err := NewDocument(src)
		path, pathErr := ParsePath(pathText)
		if err != nil || pathErr != nil || len(path) == 0 || len(src) > 4096 {
			return
		}
		want, _ := Normalize(value)
		if err := doc.Set(path, value); err != nil {
			if strings.Contains(err.Error(), "break the file") {
				t.Fatalf("set %q in %q: %v", pathText, src, err)
			}
			return
		}
		if got, ok := doc.Get(path); !ok || !Equal(got, want) {
			t.Fatalf("set %q in %q gives %q, which reads %v", pathText, src, doc.Bytes(), got)
		}
		if _, err := doc.Unset(path); err != nil {
			t.Fatalf("unset %q in %q: %v", pathText, doc.Bytes(), err)
		}
		if _, err := Parse(doc.Bytes()); err != nil {
			t.Fatalf("after unset: %v", err)
		}
	})
}
