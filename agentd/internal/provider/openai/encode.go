package openai

import (
	"encoding/json"
	"fmt"

	openaisdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"

	"github.com/openclaw/openclaw-supervisor/agentd/internal/chat"
	"github.com/openclaw/openclaw-supervisor/agentd/internal/provider"
)

// encode turns a request into the library's parameters.
func encode(req provider.Request) (openaisdk.ChatCompletionNewParams, error) {
	p := openaisdk.ChatCompletionNewParams{Model: req.Model}
	if req.System != "" {
		p.Messages = append(p.Messages, openaisdk.SystemMessage(req.System))
	}
	for _, m := range req.Messages {
		p.Messages = append(p.Messages, encodeMessage(m)...)
	}
	for _, t := range req.Tools {
		var schema shared.FunctionParameters
		if err := json.Unmarshal(t.Schema, &schema); err != nil {
			return p, fmt.Errorf("schema of tool %s: %w", t.Name, err)
		}
		p.Tools = append(p.Tools, openaisdk.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name: t.Name, Description: openaisdk.String(t.Description), Parameters: schema,
		}))
	}
	if req.MaxTokens > 0 {
		if req.Endpoint.MaxTokensField == "max_tokens" {
			p.MaxTokens = openaisdk.Int(req.MaxTokens)
		} else {
			p.MaxCompletionTokens = openaisdk.Int(req.MaxTokens)
		}
	}
	if req.Temperature != nil {
		p.Temperature = openaisdk.Float(*req.Temperature)
	}
	if req.Thinking != "" && req.Thinking != "off" {
		p.ReasoningEffort = shared.ReasoningEffort(req.Thinking)
	}
	if !req.Endpoint.NoStreamUsage {
		p.StreamOptions.IncludeUsage = openaisdk.Bool(true)
	}
	if !req.Endpoint.NoStore {
		p.Store = openaisdk.Bool(false)
	}
	return p, nil
}

// encodeMessage gives the messages that stand for one of ours: pictures that a tool
// gave follow its result as a message of the user, for results hold text only.
func encodeMessage(m chat.Message) []openaisdk.ChatCompletionMessageParamUnion {
	switch m.Role {
	case chat.RoleUser:
		return []openaisdk.ChatCompletionMessageParamUnion{userMessage(m.Content)}
	case chat.RoleToolResult:
		text := m.Content.Text()
		images := images(m.Content)
		if text == "" {
			text = "(no output)"
		}
		out := []openaisdk.ChatCompletionMessageParamUnion{openaisdk.ToolMessage(text, m.ToolCallID)}
		if len(images) > 0 {
			out = append(out, userMessage(append(chat.Blocks{chat.Text("Picture from the tool " + m.ToolName + ":")}, images...)))
		}
		return out
	case chat.RoleAssistant:
		a := openaisdk.ChatCompletionAssistantMessageParam{}
		if text := m.Content.Text(); text != "" {
			a.Content.OfString = openaisdk.String(text)
		}
		for _, c := range m.ToolCalls() {
			a.ToolCalls = append(a.ToolCalls, openaisdk.ChatCompletionMessageToolCallUnionParam{
				OfFunction: &openaisdk.ChatCompletionMessageFunctionToolCallParam{
					ID:       c.ID,
					Function: openaisdk.ChatCompletionMessageFunctionToolCallFunctionParam{Name: c.Name, Arguments: string(c.Arguments)},
				},
			})
		}
		return []openaisdk.ChatCompletionMessageParamUnion{{OfAssistant: &a}}
	}
	return nil
}

func images(content chat.Blocks) chat.Blocks {
	var out chat.Blocks
	for _, b := range content {
		if b.Type == chat.BlockImage {
			out = append(out, b)
		}
	}
	return out
}

func userMessage(content chat.Blocks) openaisdk.ChatCompletionMessageParamUnion {
	if len(images(content)) == 0 {
		return openaisdk.UserMessage(content.Text())
	}
	var parts []openaisdk.ChatCompletionContentPartUnionParam
	for _, b := range content {
		switch b.Type {
		case chat.BlockText:
			parts = append(parts, openaisdk.TextContentPart(b.Text))
		case chat.BlockImage:
			parts = append(parts, openaisdk.ImageContentPart(openaisdk.ChatCompletionContentPartImageImageURLParam{
				URL: "data:" + b.MimeType + ";base64," + b.Data,
			}))
		}
	}
	return openaisdk.UserMessage(parts)
}
