// Runs the page's own modules outside a browser: enters by a ticket, talks,
// comes back with the device token, and prints what it saw as JSON lines.
const [assets, host, ticket] = process.argv.slice(2);

const memory = new Map();
globalThis.localStorage = {
  getItem: (k) => memory.get(k) ?? null, setItem: (k, v) => memory.set(k, String(v)), removeItem: (k) => memory.delete(k),
};
const keys = new Map();
const request = (result) => {
  const r = { result };
  queueMicrotask(() => { r.onupgradeneeded?.(); r.onsuccess?.(); });
  return r;
};
const store = { get: (k) => request(keys.get(k)), put: (v, k) => request(keys.set(k, v)) };
globalThis.indexedDB = {
  open: () => request({ createObjectStore() {}, close() {}, transaction: () => ({ objectStore: () => store }) }),
};
Object.defineProperty(globalThis, "navigator", { value: { platform: "node", language: "en", userAgent: "node" } });
globalThis.CustomEvent ??= class extends Event {
  constructor(name, { detail } = {}) { super(name); this.detail = detail; }
};
globalThis.location = { protocol: "http:", host };
globalThis.window = { __OPENCLAW_CONTROL_UI_BASE_PATH__: "" };
const Plain = globalThis.WebSocket;
const sockets = [];
globalThis.WebSocket = class extends Plain {
  constructor(url) {
    super(url, { headers: { Origin: `http://${host}` } });
    sockets.push(this);
  }
};

const say = (what, value) => console.log(JSON.stringify({ what, value }));
const { Gateway } = await import(`${assets}/gateway.js`);
const gateway = new Gateway(ticket);
let visits = 0;
gateway.addEventListener("refused", ({ detail }) => {
  say("refused", detail.text);
  process.exit(1);
});
gateway.addEventListener("hello", async ({ detail }) => {
  visits++;
  say("hello", { token: detail.auth?.deviceToken, methods: detail.features.methods.length });
  if (visits === 1) {
    say("history", (await gateway.call("chat.history", { sessionKey: "main" })).messages);
    try {
      await gateway.call("chat.history", {});
    } catch (err) {
      say("error", { code: err.code, message: err.message });
    }
    sockets.at(-1).close();
    return;
  }
  process.exit(0);
});
gateway.addEventListener("lost", () => say("lost", true));
await gateway.start();
