// A client of the gateway's WebSocket: connects again by itself, and keeps
// watch over ticks and numbers.

import { load, storedToken, storeToken, dropToken } from "./identity.js";

const client = { id: "openclaw-control-ui", version: "1", platform: navigator.platform || "web", mode: "webchat" };
const scopes = ["operator.admin", "operator.approvals", "operator.pairing"];
const protocol = 3;

export class Gateway extends EventTarget {
  #device; #ticket; #socket; #waiting = new Map(); #next = 0; #pause = 800; #seq; #watch; #tick = 30000;

  // ticket is good for one connection.
  constructor(ticket) {
    super();
    this.#ticket = ticket;
  }

  async start() {
    try {
      this.#device = await load();
    } catch (err) {
      this.#tell("refused", { text: err.message });
      return;
    }
    this.#open();
  }

  // call sends a request and gives its payload; final waits for the second
  // answer of methods that give two.
  call(method, params = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error("not connected"));
    const id = String(++this.#next);
    this.#socket.send(JSON.stringify({ type: "req", id, method, params }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #tell(name, detail = {}) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  #open() {
    const base = window.__OPENCLAW_CONTROL_UI_BASE_PATH__ ?? "";
    const address = (location.protocol === "https:" ? "wss://" : "ws://") + location.host + base + "/";
    const socket = this.#socket = new WebSocket(address);
    let refusal = null;
    socket.onmessage = async (message) => {
      const frame = JSON.parse(message.data);
      this.#alive(socket);
      if (frame.type === "res") {
        const waiter = this.#waiting.get(frame.id);
        this.#waiting.delete(frame.id);
        if (frame.ok) waiter?.resolve(frame.payload);
        else waiter?.reject(Object.assign(new Error(frame.error.message), frame.error));
        return;
      }
      if (frame.event === "connect.challenge") {
        try {
          await this.#connect(frame.payload.nonce);
        } catch (err) {
          refusal = err;
          socket.close();
        }
        return;
      }
      if (frame.seq !== undefined) {
        if (this.#seq !== undefined && frame.seq !== this.#seq + 1) this.#tell("gap");
        this.#seq = frame.seq;
      }
      this.#tell("event", frame);
    };
    socket.onclose = (close) => {
      clearTimeout(this.#watch);
      for (const { reject } of this.#waiting.values()) reject(new Error("connection lost"));
      this.#waiting.clear();
      this.#seq = undefined;
      if (refusal?.final) {
        this.#tell("refused", { text: refusal.message, code: refusal.code });
        return;
      }
      this.#tell("lost", { restart: close.code === 1012, code: close.code, reason: close.reason });
      setTimeout(() => this.#open(), this.#pause);
      this.#pause = Math.min(this.#pause * 1.7, 15000);
    };
  }

  async #connect(nonce) {
    const stored = this.#ticket ? "" : storedToken(this.#device);
    const token = this.#ticket || stored;
    const signedAt = Date.now();
    const text = ["v2", this.#device.id, client.id, client.mode, "operator", scopes.join(","), signedAt, token, nonce].join("|");
    const params = {
      minProtocol: protocol, maxProtocol: protocol, client, role: "operator", scopes, caps: ["tool-events"],
      device: { id: this.#device.id, publicKey: this.#device.publicKey, signature: await this.#device.sign(text), signedAt, nonce },
      auth: { token }, locale: navigator.language, userAgent: navigator.userAgent,
    };
    try {
      const hello = await this.call("connect", params);
      this.#ticket = "";
      this.#pause = 800;
      this.#tick = hello.policy.tickIntervalMs;
      if (hello.auth) storeToken(this.#device, hello.auth);
      this.#tell("hello", hello);
    } catch (err) {
      if (this.#ticket && err.code === "INVALID_REQUEST") {
        // The ticket was used before: an earlier visit's token may do.
        this.#ticket = "";
        err.final = !storedToken(this.#device);
      } else if (stored && /^unauthorized: .* mismatch/.test(err.message)) {
        dropToken();
        err.final = true;
      } else {
        err.final = err.code === "INVALID_REQUEST";
      }
      throw err;
    }
  }

  #alive(socket) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => socket.close(4000, "tick timeout"), 2 * this.#tick);
  }
}
