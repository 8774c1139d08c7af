package run

import "testing"

func TestClean(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     Reply
	}{
		{"plain", "hello", Reply{Text: "hello"}},
		{"silent", "NO_REPLY", Reply{}},
		{"silent at the end", "nothing to add. NO_REPLY", Reply{}},
		{"the word inside a sentence stays", "the token NO_REPLY means silence", Reply{Text: "the token NO_REPLY means silence"}},
		{"heartbeat alone", " HEARTBEAT_OK ", Reply{}},
		{"heartbeat in front", "HEARTBEAT_OK all is well", Reply{Text: "all is well"}},
		{"reply to current", "[[reply_to_current]] yes", Reply{Text: "yes", ReplyTo: "m1"}},
		{"reply to a message", "yes [[ Reply_To: 77 ]]", Reply{Text: "yes", ReplyTo: "77"}},
		{"final wrapping", "<final>done</final>", Reply{Text: "done"}},
		{"blank", " \n", Reply{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Clean(c.in, "m1"); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}
