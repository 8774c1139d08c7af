// Wires the page to the gateway.

import { Gateway } from "./gateway.js";
import { Chat } from "./chat.js";
import { showWorkers, showConditions } from "./workers.js";

const $ = (id) => document.getElementById(id);

// The ticket leaves the address before anything else happens. Nothing else is
// ever taken from it.
function takeTicket() {
  const ticket = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  if (location.hash) history.replaceState(null, "", location.pathname);
  return ticket;
}

const gateway = new Gateway(takeTicket());
const chat = new Chat(gateway, $("messages"), update);
let ready = false;

function status(state, text) {
  $("status").dataset.state = state;
  $("status").textContent = text;
  ready = state === "ready";
  update();
}

function update() {
  $("text").disabled = !ready;
  $("send").disabled = !ready || !$("text").value.trim();
  $("stop").hidden = !chat.busy;
}

const restart = (worker) => gateway.call("workers.restart", { worker })
  .catch((err) => chat.note(`${worker} was not restarted: ${err.message}`))
  .finally(refresh);

function showHealth(health) {
  showWorkers($("workers"), health.workers ?? [], restart);
  showConditions($("conditions"), health.conditions ?? []);
}

async function refresh() {
  try {
    showWorkers($("workers"), (await gateway.call("workers.list")).workers, restart);
  } catch { /* the connection is gone, or the gateway has no workers */ }
}

gateway.addEventListener("hello", async ({ detail: hello }) => {
  status("ready", `Connected · ${hello.server.version}`);
  if (hello.snapshot.configPath) $("config").textContent = hello.snapshot.configPath;
  showHealth(hello.snapshot.health);
  try {
    await chat.load(hello.snapshot.sessionDefaults?.mainSessionKey ?? "main");
    $("text").focus();
  } catch (err) {
    chat.note(`The conversation could not be loaded: ${err.message}`);
  }
});

gateway.addEventListener("event", ({ detail: frame }) => {
  if (frame.event === "chat") chat.take(frame.payload);
  else if (frame.event === "health") showHealth(frame.payload);
  else if (frame.event === "worker") refresh();
  else if (frame.event === "shutdown") status("connecting", "The gateway is stopping…");
});

gateway.addEventListener("gap", refresh);

gateway.addEventListener("lost", ({ detail }) => {
  status("connecting", detail.restart ? "The gateway restarts…" : `Disconnected${detail.reason ? `: ${detail.reason}` : ""}, trying again…`);
});

gateway.addEventListener("refused", ({ detail }) => {
  const help = detail.code ? " Run “openclaw dashboard” for a new link." : "";
  status("refused", detail.text + help);
});

$("compose").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text || !ready) return;
  $("text").value = "";
  update();
  try {
    await chat.send(text);
  } catch {
    if (!$("text").value) $("text").value = text;
    update();
  }
});

$("text").addEventListener("input", update);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("compose").requestSubmit();
  }
});
$("stop").addEventListener("click", () => chat.stop().catch((err) => chat.note(err.message)));

const name = window.__OPENCLAW_ASSISTANT_NAME__;
if (name) {
  $("name").textContent = name;
  document.title = `${name} · OpenClaw`;
}
gateway.start();
