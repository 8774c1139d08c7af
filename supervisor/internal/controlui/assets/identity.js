// The device that this browser is: an Ed25519 key that cannot leave it, and
// the token that the gateway issued to it.

const database = "openclaw-device";
const tokenKey = "openclaw.device.auth.v1";

const encode = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const hex = (bytes) => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, "0")).join("");
const settle = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function open() {
  const request = indexedDB.open(database, 1);
  request.onupgradeneeded = () => request.result.createObjectStore("keys");
  return settle(request);
}

// load finds this browser's device, or makes it.
export async function load() {
  if (!crypto.subtle) throw new Error("This page needs HTTPS or localhost.");
  const db = await open();
  let pair = await settle(db.transaction("keys").objectStore("keys").get("device"));
  if (!pair) {
    try {
      pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    } catch {
      throw new Error("This browser cannot make Ed25519 keys. A newer one can.");
    }
    await settle(db.transaction("keys", "readwrite").objectStore("keys").put(pair, "device"));
  }
  db.close();
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  return {
    id: hex(await crypto.subtle.digest("SHA-256", raw)),
    publicKey: encode(raw),
    sign: async (text) => encode(await crypto.subtle.sign({ name: "Ed25519" }, pair.privateKey, new TextEncoder().encode(text))),
  };
}

// storedToken is the device token from an earlier visit, if any.
export function storedToken(device) {
  try {
    const stored = JSON.parse(localStorage.getItem(tokenKey));
    if (stored?.deviceId === device.id) return stored.tokens?.operator?.token ?? "";
  } catch { /* not ours, or damaged: as if there were none */ }
  return "";
}

export function storeToken(device, auth) {
  const tokens = { [auth.role]: { token: auth.deviceToken, role: auth.role, scopes: auth.scopes, updatedAtMs: Date.now() } };
  localStorage.setItem(tokenKey, JSON.stringify({ version: 1, deviceId: device.id, tokens }));
}

export const dropToken = () => localStorage.removeItem(tokenKey);
