/** The server by HTTP: who it is, the token it may want, the words it knows, and files to save. */

import { Failure } from "./errors.js";

const STORED = "framecast.token";

/** The token of this tab, or null; one that comes in the address is kept for the tab and taken out of sight. */
export function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(STORED, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(STORED);
}

/** Who serves, and what it allows; asks for the token for as long as the server wants another one. */
export async function greet() {
  for (;;) {
    try {
      return await (await get("/v1/info")).json();
    } catch (error) {
      if (error.code !== "unauthorized") throw error;
      await askForToken(token() !== null);
    }
  }
}

/** The words that the model knows; null if nobody can say. */
export async function words() {
  return (await (await get("/v1/words")).json()).words;
}

/** What a stream has shown as a file, "mp4" or "fct", or what was done in it, "ndjson": `{name, blob}`. */
export async function fetchVideo(session, format, frames) {
  const what = format === "ndjson" ? "actions" : "video";
  return named(await get(`/v1/streams/${session}/${what}.${format}?frames=${frames}`), `framecast.${format}`);
}

/** The video of a token file: `{name, blob}`. */
export async function decode(tokens) {
  return named(await get("/v1/videos/decode", { method: "POST", body: tokens }), "framecast.mp4");
}

/** Saves a file where the browser puts files. */
export function download({ name, blob }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function named(response, fallback) {
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? fallback;
  return { name, blob: await response.blob() };
}

async function get(path, options = {}) {
  const headers = token() === null ? {} : { Authorization: `Bearer ${token()}` };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw new Failure("lost", "the server does not answer; is it running?");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Failure(told.code ?? "internal", told.message ?? `the server answered ${response.status}`);
}

function askForToken(wrong) {
  const dialog = document.querySelector("#token");
  const form = dialog.querySelector("form");
  dialog.querySelector(".wrong").hidden = !wrong;
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.oncancel = (event) => event.preventDefault();
    form.onsubmit = () => {
      sessionStorage.setItem(STORED, form.elements.token.value.trim());
      form.reset();
      resolve();
    };
  });
}
