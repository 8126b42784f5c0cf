/** The captions of a folder by HTTP. */

import { token } from "./api.js";
import { Failure } from "./errors.js";

/** The captions were changed elsewhere since they were read; `now` is what is said there. */
export class Conflict extends Failure {
  constructor(message, now) {
    super("wrong_state", message);
    this.now = now;
  }
}

export const folder = () => ask("/v1/folder");
export const videos = (start, count, show, find) => ask(`/v1/videos?${new URLSearchParams({ start, count, show, find })}`);
export const video = (file) => ask(`/v1/video?${new URLSearchParams({ file })}`);

/** Writes the captions of a video; gives what is said of it then. */
export const save = (file, version, captions) =>
  ask(`/v1/video?${new URLSearchParams({ file })}`, {
    method: "PUT",
    keepalive: true, // also while the page is being closed
    body: JSON.stringify({ version, captions }),
    headers: { "Content-Type": "application/json" },
  });

async function ask(path, options = {}) {
  const headers = { ...options.headers, Authorization: `Bearer ${token() ?? ""}` };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw new Failure("lost", "the server does not answer; is the command still running?");
  }
  const told = await response.json().catch(() => ({}));
  if (response.ok) return told;
  if (response.status === 409) throw new Conflict(told.message, told.now);
  const advice = response.status === 401 ? "; open the whole address that the command printed" : "";
  throw new Failure(told.code ?? "internal", `${told.message ?? `the server answered ${response.status}`}${advice}`);
}
