// The list of what runs, and of what needs attention.

const element = (tag, props = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
};

const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? units.at(-1);
  return `${Math.floor(seconds / size)} ${unit}`;
}

function facts(worker) {
  const list = [];
  if (worker.pid) list.push(`pid ${worker.pid}`);
  if (worker.state === "running" && worker.since) list.push(`up ${span(Date.now() - worker.since)}`);
  list.push(worker.restarts === 1 ? "1 restart" : `${worker.restarts} restarts`);
  if (worker.version) list.push(worker.version);
  return list.join(" · ");
}

function account(a) {
  const words = [a.phase.replaceAll("_", " "), a.text, a.action].filter(Boolean).join(" – ");
  return element("p", { className: "facts", textContent: `${a.id}: ${words}` });
}

function row(worker, restart) {
  const state = element("span", { className: "state", textContent: worker.state });
  if (worker.state === "running") state.dataset.good = "";
  if (worker.state === "terminal") state.dataset.bad = "";
  const button = element("button", { className: "small", type: "button", textContent: "Restart" });
  button.onclick = async () => {
    button.disabled = true;
    try { await restart(worker.id); } finally { button.disabled = false; }
  };
  const item = element("div", { className: "worker" },
    element("div", { className: "top" }, element("b", { textContent: worker.id }), state, button),
    element("p", { className: "facts", textContent: facts(worker) }));
  if (worker.condition) {
    const words = [worker.condition.text || worker.condition.code, worker.condition.action].filter(Boolean).join(" – ");
    item.append(element("p", { className: "facts", textContent: words }));
  }
  item.append(...(worker.accounts ?? []).map(account));
  return item;
}

export function showWorkers(place, workers, restart) {
  if (workers.length === 0) {
    place.replaceChildren(element("p", { className: "quiet", textContent: "No worker is configured." }));
    return;
  }
  place.replaceChildren(...workers.map((w) => row(w, restart)));
}

export function showConditions(place, conditions) {
  place.hidden = conditions.length === 0;
  place.querySelector("ul").replaceChildren(...conditions.map((c) => {
    const item = element("li", {}, element("b", { textContent: c.title }));
    item.dataset.severity = c.severity;
    if (c.text) item.append(element("p", { className: "facts", textContent: c.text }));
    if (c.action) item.append(element("p", { className: "facts", textContent: c.action }));
    return item;
  }));
}
