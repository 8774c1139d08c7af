package anthropic

import (
	"encoding/json"
	"fmt"
	"strings"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
)

// What stands where the dialect wants something and the conversation has nothing.
const (
	openingText  = "(session bootstrap)"
	noOutputText = "(no output)"
	noText       = "(no text)"
)

// maxPicture is the longest picture that a server takes, in characters of base64.
const maxPicture = 5 << 20

// encode turns a request into the library's parameters.
func encode(req provider.Request) (anthropicsdk.MessageNewParams, error) {
	p := anthropicsdk.MessageNewParams{Model: req.Model, MaxTokens: req.MaxTokens}
	if p.MaxTokens <= 0 {
		p.MaxTokens = defaultMaxTokens
	}
	if req.System != "" {
		p.System = []anthropicsdk.TextBlockParam{{Text: req.System}}
	}
	for _, t := range req.Tools {
		schema, err := encodeSchema(t)
		if err != nil {
			return p, err
		}
		p.Tools = append(p.Tools, anthropicsdk.ToolUnionParam{OfTool: &anthropicsdk.ToolParam{
			Name: t.Name, Description: anthropicsdk.String(t.Description), InputSchema: schema,
		}})
	}
	thinks := think(req, &p)
	if req.Temperature != nil && !thinks {
		p.Temperature = anthropicsdk.Float(*req.Temperature)
	}
	p.Messages = encodeMessages(req, thinks)
	mark(req, &p)
	return p, nil
}

func encodeSchema(t provider.Tool) (anthropicsdk.ToolInputSchemaParam, error) {
	var out anthropicsdk.ToolInputSchemaParam
	var all map[string]any
	if err := json.Unmarshal(t.Schema, &all); err != nil {
		return out, fmt.Errorf("schema of tool %s: %w", t.Name, err)
	}
	out.Properties = all["properties"]
	if list, ok := all["required"].([]any); ok {
		for _, name := range list {
			if s, ok := name.(string); ok {
				out.Required = append(out.Required, s)
			}
		}
	}
	for _, known := range []string{"type", "properties", "required"} {
		delete(all, known)
	}
	out.ExtraFields = all
	return out, nil
}

// encodeMessages puts the conversation into turns that alternate and begin with the
// user: what follows one another from the same side is one turn.
func encodeMessages(req provider.Request, thinks bool) []anthropicsdk.MessageParam {
	var out []anthropicsdk.MessageParam
	add := func(role anthropicsdk.MessageParamRole, blocks []anthropicsdk.ContentBlockParamUnion) {
		if len(blocks) == 0 {
			return
		}
		if n := len(out); n > 0 && out[n-1].Role == role {
			out[n-1].Content = append(out[n-1].Content, blocks...)
			return
		}
		if len(out) == 0 && role == anthropicsdk.MessageParamRoleAssistant {
			out = append(out, anthropicsdk.NewUserMessage(anthropicsdk.NewTextBlock(openingText)))
		}
		out = append(out, anthropicsdk.MessageParam{Role: role, Content: blocks})
	}
	for _, m := range req.Messages {
		switch m.Role {
		case chat.RoleUser:
			blocks := userBlocks(m.Content)
			if len(blocks) == 0 {
				blocks = append(blocks, anthropicsdk.NewTextBlock(noText))
			}
			add(anthropicsdk.MessageParamRoleUser, blocks)
		case chat.RoleToolResult:
			add(anthropicsdk.MessageParamRoleUser, []anthropicsdk.ContentBlockParamUnion{toolResult(m)})
		case chat.RoleAssistant:
			add(anthropicsdk.MessageParamRoleAssistant, assistantBlocks(m, thinks && ours(m, req)))
		}
	}
	return out
}

func userBlocks(content chat.Blocks) []anthropicsdk.ContentBlockParamUnion {
	var out []anthropicsdk.ContentBlockParamUnion
	for _, b := range content {
		switch b.Type {
		case chat.BlockText:
			if strings.TrimSpace(b.Text) != "" { // a blank text is refused
				out = append(out, anthropicsdk.NewTextBlock(b.Text))
			}
		case chat.BlockImage:
			if why := unfit(b); why != "" {
				out = append(out, anthropicsdk.NewTextBlock(why))
				continue
			}
			out = append(out, anthropicsdk.NewImageBlockBase64(b.MimeType, b.Data))
		}
	}
	return out
}

// unfit says why a picture is not sent; "" = it is.
func unfit(b chat.Block) string {
	switch b.MimeType {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
	default:
		return fmt.Sprintf("[a picture of type %s, which this provider does not take]", b.MimeType)
	}
	if len(b.Data) > maxPicture {
		return fmt.Sprintf("[a picture of %d KB, which is more than this provider takes]", len(b.Data)*3/4/1024)
	}
	return ""
}

func toolResult(m chat.Message) anthropicsdk.ContentBlockParamUnion {
	r := anthropicsdk.ToolResultBlockParam{ToolUseID: callID(m.ToolCallID)}
	if m.Failed() {
		r.IsError = anthropicsdk.Bool(true)
	}
	for _, b := range userBlocks(m.Content) {
		r.Content = append(r.Content, anthropicsdk.ToolResultBlockParamContentUnion{OfText: b.OfText, OfImage: b.OfImage})
	}
	if len(r.Content) == 0 {
		r.Content = append(r.Content, anthropicsdk.ToolResultBlockParamContentUnion{OfText: &anthropicsdk.TextBlockParam{Text: noOutputText}})
	}
	return anthropicsdk.ContentBlockParamUnion{OfToolResult: &r}
}

// assistantBlocks gives what the model said; thoughts only where the server can
// check them.
func assistantBlocks(m chat.Message, thoughts bool) []anthropicsdk.ContentBlockParamUnion {
	var out []anthropicsdk.ContentBlockParamUnion
	for _, b := range m.Content {
		switch b.Type {
		case chat.BlockText:
			if strings.TrimSpace(b.Text) != "" {
				out = append(out, anthropicsdk.NewTextBlock(b.Text))
			}
		case chat.BlockThinking:
			switch {
			case !thoughts || b.ThinkingSignature == "":
			case b.Redacted:
				out = append(out, anthropicsdk.NewRedactedThinkingBlock(b.ThinkingSignature))
			default:
				out = append(out, anthropicsdk.NewThinkingBlock(b.ThinkingSignature, b.Thinking))
			}
		case chat.BlockToolCall:
			input := b.Arguments
			if len(input) == 0 {
				input = json.RawMessage("{}")
			}
			out = append(out, anthropicsdk.NewToolUseBlock(callID(b.ID), input, b.Name))
		}
	}
	return out
}

// callID makes of any provider's id one that the dialect takes: letters, digits, _ and -.
func callID(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, id)
}

// retention says for how long the server shall keep the prompt.
func retention(req provider.Request) provider.CacheRetention {
	if req.Cache == "" {
		if strings.HasPrefix(req.Endpoint.Key, tokenPrefix) {
			return provider.CacheNone
		}
		return provider.CacheShort
	}
	return req.Cache
}

// mark sets the places up to which the server keeps the prompt: behind the tools and
// the system prompt, and at the end of the conversation so far.
func mark(req provider.Request, p *anthropicsdk.MessageNewParams) {
	keep := retention(req)
	if keep == provider.CacheNone {
		return
	}
	marker := anthropicsdk.NewCacheControlEphemeralParam()
	if keep == provider.CacheLong {
		marker.TTL = anthropicsdk.CacheControlEphemeralTTLTTL1h
	}
	if n := len(p.System); n > 0 {
		p.System[n-1].CacheControl = marker
	}
	if n := len(p.Messages); n > 0 {
		content := p.Messages[n-1].Content
		if at := content[len(content)-1].GetCacheControl(); at != nil {
			*at = marker
		}
	}
}
