package json5

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseValues(t *testing.T) {
	tests := map[string]struct {
		src  string
		want any
	}{
		"null":                      {"null", nil},
		"bool":                      {" true // yes", true},
		"double quotes":             {`"a\"b"`, `a"b`},
		"single quotes":             {`'it "is" \'so\''`, `it "is" 'so'`},
		"escapes":                   {`"\b\f\n\r\t\v\0\x41\u00e9\q\/"`, "\b\f\n\r\t\v\x00Aéq/"},
		"surrogate pair":            {`"\ud83d\ude00"`, "😀"},
		"lone surrogate":            {`"\ud83d!"`, "\ufffd!"},
		"string over lines":         {"'one \\\ntwo \\\r\nthree'", "one two three"},
		"line separator in string":  {"'a\u2028b'", "a\u2028b"},
		"integer":                   {"42", json.Number("42")},
		"long id keeps digits":      {"123456789012345678901", json.Number("123456789012345678901")},
		"plus sign":                 {"+7", json.Number("7")},
		"leading point":             {"-.5", json.Number("-0.5")},
		"trailing point":            {"5.", json.Number("5")},
		"exponent":                  {"1.5E+3", json.Number("1.5e+3")},
		"hexadecimal":               {"0xDECAF", json.Number("912559")},
		"negative hexadecimal":      {"-0x10", json.Number("-16")},
		"infinity":                  {"-Infinity", math.Inf(-1)},
		"bare keys":                 {`{a: 1, $b_2: 2, "c d": 3, 'e': 4}`, map[string]any{"a": json.Number("1"), "$b_2": json.Number("2"), "c d": json.Number("3"), "e": json.Number("4")}},
		"keys of other scripts":     {`{ключ: 1, größe: 2, \u0061b: 3}`, map[string]any{"ключ": json.Number("1"), "größe": json.Number("2"), "ab": json.Number("3")}},
		"words as keys":             {`{null: 1, true: 2}`, map[string]any{"null": json.Number("1"), "true": json.Number("2")}},
		"trailing commas":           {`{a: [1, 2,], }`, map[string]any{"a": []any{json.Number("1"), json.Number("2")}}},
		"comments":                  {"/* head **/ {// x\n a /*k*/ : /*v*/ 1 /*c*/, // end\n}\n// tail", map[string]any{"a": json.Number("1")}},
		"byte order mark and blank": {"\ufeff\u00a0\u3000{a:\v\f1}", map[string]any{"a": json.Number("1")}},
		"last of a repeated key":    {`{a: 1, a: 2}`, map[string]any{"a": json.Number("2")}},
		"empty":                     {`[{}, [], ""]`, []any{map[string]any{}, []any{}, ""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			node, err := Parse([]byte(test.src))
			if err != nil {
				t.Fatalf("Parse(%q): %v", test.src, err)
			}
			if diff := cmp.Diff(node.Value(), test.want); diff != "" {
				t.Errorf("Parse(%q) (-got +want):\n%s", test.src, diff)
			}
		})
	}
}

func TestParseErrorsSayWhere(t *testing.T) {
	tests := map[string]struct {
		src  string
		pos  Pos
		text string
	}{
		"nothing":              {"  \n", Pos{2, 1}, "no value"},
		"missing comma":        {"{\n  port: 1\n  bind: 'x'\n}", Pos{2, 10}, `after the value of "port", found "bind"`},
		"missing colon":        {"{port 1}", Pos{1, 7}, `expected ":" after the key "port"`},
		"open object":          {"{\n a: {b: 1,\n", Pos{2, 5}, "never closed"},
		"open object no comma": {"{\n a: [1\n", Pos{2, 5}, "never closed"},
		"open string":          {"{\n\ta: 'x\n}", Pos{2, 5}, "not closed"},
		"open comment":         {"{} /* x", Pos{1, 4}, "comment"},
		"bare string":          {"{\r\n a: hello}", Pos{2, 5}, "strings need quotes"},
		"two values":           {"{} {}", Pos{1, 4}, "expected the end of the file"},
		"hole":                 {"[1,,2]", Pos{1, 4}, "expected a value"},
		"octal":                {"[012]", Pos{1, 2}, "may not begin with 0"},
		"octal escape":         {`"\01"`, Pos{1, 2}, "octal"},
		"id with letters":      {"[12ab]", Pos{1, 2}, "quote it"},
		"bad hex":              {"0xg", Pos{1, 1}, "hexadecimal"},
		"bad unicode escape":   {`"\u12g4"`, Pos{1, 6}, "hexadecimal digits"},
		"no utf-8":             {"{a: \"\xff\"}", Pos{1, 6}, "UTF-8"},
		"too large a number":   {"1e999", Pos{1, 1}, "too large"},
		"after wide letters":   {"{'ключ': ?}", Pos{1, 10}, "expected a value"},
		"after a mark":         {"\ufeff{a: ?}", Pos{1, 5}, "expected a value"},
		"too deep":             {strings.Repeat("[", 300), Pos{1, 202}, "deeper"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(test.src))
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("Parse(%q) = %v, want a SyntaxError", test.src, err)
			}
			if syntax.Pos != test.pos || !strings.Contains(syntax.Msg, test.text) {
				t.Errorf("Parse(%q) = %v, want %v: …%s…", test.src, err, test.pos, test.text)
			}
		})
	}
}

// FuzzParse: no input makes the parser fail otherwise than with a SyntaxError, and plain JSON reads as encoding/json does.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e3,null,true,"x\u00e9"]}`, `{a:'b', // c` + "\n}", `[0x1F,.5,+1,-Infinity]`, "\ufeff{}", `{"a":{"b":{}}}`, `"\ud800"`, "[1,]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		node, err := Parse(src)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || !syntax.Pos.IsValid() {
				t.Fatalf("error without a place: %v", err)
			}
		}
		decoder := json.NewDecoder(strings.NewReader(string(src)))
		decoder.UseNumber()
		var plain any
		if !json.Valid(src) || decoder.Decode(&plain) != nil || decoder.More() {
			return
		}
		if err != nil {
			// Only what encoding/json takes on purpose may be refused here: bytes that are not UTF-8, huge numbers, deep nesting.
			for _, allowed := range []string{"UTF-8", "too large", "deeper"} {
				if strings.Contains(err.Error(), allowed) {
					return
				}
			}
			t.Fatalf("valid JSON %q is refused: %v", src, err)
		}
		if !Equal(node.Value(), plain) {
			t.Fatalf("%q reads as %v, encoding/json gives %v", src, node.Value(), plain)
		}
	})
}
