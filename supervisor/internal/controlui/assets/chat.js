// One conversation with the main session.

const textOf = (message) => {
  const content = message?.content;
  if (typeof content === "string") return content;
  return (content ?? []).filter((part) => part.type === "text").map((part) => part.text).join("\n");
};

export class Chat {
  #gateway; #list; #key = "main"; #bubbles = new Map(); #running = new Set(); #changed;

  constructor(gateway, list, changed) {
    this.#gateway = gateway;
    this.#list = list;
    this.#changed = changed;
  }

  get busy() { return this.#running.size > 0; }

  // load shows the history of a session.
  async load(key) {
    this.#key = key;
    const history = await this.#gateway.call("chat.history", { sessionKey: key, limit: 100 });
    this.#list.replaceChildren();
    this.#bubbles.clear();
    this.#running.clear();
    for (const message of history.messages) {
      const text = textOf(message) || (message.errorMessage ?? "");
      if (text && message.role !== "toolResult") this.#add(message.role === "user" ? "user" : "assistant", text);
    }
    this.#changed();
  }

  async send(text) {
    const run = crypto.randomUUID();
    const mine = this.#add("user", text);
    try {
      const answer = await this.#gateway.call("chat.send", { sessionKey: this.#key, message: text, deliver: false, idempotencyKey: run });
      if (answer.runId) {
        this.#running.add(answer.runId);
        this.#changed();
      }
    } catch (err) {
      mine.remove();
      this.note(`Not sent: ${err.message}`);
      throw err;
    }
  }

  stop() { return this.#gateway.call("chat.abort", { sessionKey: this.#key }); }

  note(text) { this.#add("note", text); }

  // take shows a chat event.
  take(event) {
    if (event.sessionKey !== this.#key) return;
    const text = textOf(event.message) || event.errorMessage || "";
    let bubble = this.#bubbles.get(event.runId);
    if (text && !bubble) {
      bubble = this.#add("assistant", "");
      this.#bubbles.set(event.runId, bubble);
    }
    if (text) bubble.textContent = text;
    if (event.state === "delta") {
      bubble?.toggleAttribute("data-running", true);
      this.#running.add(event.runId);
    } else {
      bubble?.removeAttribute("data-running");
      this.#running.delete(event.runId);
      this.#bubbles.delete(event.runId);
      if (event.state === "aborted") this.note("Stopped.");
      else if (!text) this.note("The model gave no answer. The log says why.");
    }
    this.#changed();
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  #add(role, text) {
    const item = document.createElement("li");
    item.dataset.role = role;
    item.textContent = text;
    this.#list.append(item);
    this.#list.scrollTop = this.#list.scrollHeight;
    return item;
  }
}
