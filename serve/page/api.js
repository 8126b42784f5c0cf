/** The server by HTTP: who it is, the token it may want, and files to save. */

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

/** Saves what a stream has shown as a file, "mp4" or "fct". */
export async function save(session, format, frames) {
  const response = await get(`/v1/streams/${session}/video.${format}?frames=${frames}`);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? `framecast.${format}`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return name;
}

async function get(path) {
  const headers = token() === null ? {} : { Authorization: `Bearer ${token()}` };
  let response;
  try {
    response = await fetch(path, { headers });
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
