/** The videos of this visit: each with a thumbnail, to be played again and downloaded. Only this page knows them. */

import { decode, download } from "./api.js";
import { Failure } from "./errors.js";
import { clock } from "./timeline.js";

const MOST = 24; // videos; the oldest make room
const MOST_DECODED = 4; // of which the mp4 is kept too

export class Gallery {
  #items = []; // {key, prompt, seed, seconds, tokens, video, card}, the newest first
  #shown = null; // the item in the dialog

  /** Called with a prompt and a seed that are to be used again. */
  onreuse = () => {};

  /**
   * @param root the section with the list.
   * @param dialog where a video is played.
   * @param fps of the videos.
   */
  constructor(root, dialog, fps) {
    this.root = root;
    this.dialog = dialog;
    this.fps = fps;
    this.list = root.querySelector("ul");
    const on = (name, action) => dialog.querySelector(name).addEventListener("click", () => this.#try(action));
    on(".video", async () => download(await this.#decoded(this.#shown)));
    on(".tokens", () => download(this.#shown.tokens));
    on(".again", () => this.#reuse());
    on(".forget", () => this.#forget(this.#shown));
    dialog.addEventListener("close", () => this.#stop());
  }

  /**
   * Takes up a video, or more of one that it has.
   *
   * @param key tells the video from others.
   * @param told `{prompts, seed, frames, tokens, element}`: `[frame, prompt]` of all prompts, how many frames were shown, the
   *   token file `{name, blob}`, and the element that shows the last frame.
   */
  put(key, { prompts, seed, frames, tokens, element }) {
    const before = this.#items.find((item) => item.key === key);
    if (before) this.#items = this.#items.filter((item) => item !== before);
    const item = { key, prompt: prompts.map(([, prompt]) => prompt).join("; then "), seed, seconds: frames / this.fps, tokens, video: null };
    item.first = prompts[0]?.[1] ?? "";
    item.card = this.#card(item, element);
    this.#items.unshift(item);
    this.#items.length = Math.min(this.#items.length, MOST);
    this.#lay();
  }

  #lay() {
    this.list.replaceChildren(...this.#items.map((item) => item.card));
    this.root.hidden = !this.#items.length;
  }

  #card(item, element) {
    const card = document.importNode(document.querySelector("#card").content.firstElementChild, true);
    card.querySelector("button").prepend(thumbnail(element));
    card.querySelector("button").setAttribute("aria-label", `Play: ${item.prompt}, ${clock(item.seconds)}, seed ${item.seed}`);
    card.querySelector(".length").textContent = clock(item.seconds);
    card.querySelector(".what").textContent = item.prompt;
    card.querySelector("button").title = item.prompt;
    card.querySelector("button").addEventListener("click", () => this.#open(item));
    return card;
  }

  async #open(item) {
    this.#shown = item;
    this.dialog.querySelector("h2").textContent = item.prompt;
    this.dialog.querySelector(".length").textContent = `${clock(item.seconds)}, seed ${item.seed}`;
    this.dialog.showModal();
    await this.#try(() => this.#play(item));
  }

  async #play(item) {
    const { blob } = await this.#decoded(item);
    if (this.#shown !== item) return;
    const video = this.dialog.querySelector("video");
    video.src = URL.createObjectURL(blob);
    await video.play().catch(() => {}); // the dialog was closed meanwhile
  }

  /** The mp4 of an item, made by the server of its tokens; a few are kept. */
  async #decoded(item) {
    item.video ??= await decode(item.tokens.blob);
    const kept = this.#items.filter((other) => other.video && other !== item);
    for (const other of kept.slice(MOST_DECODED - 1)) other.video = null;
    return item.video;
  }

  #reuse() {
    this.dialog.close();
    this.onreuse(this.#shown.first, this.#shown.seed);
  }

  #forget(item) {
    this.dialog.close();
    this.#items = this.#items.filter((other) => other !== item);
    this.#lay();
  }

  #stop() {
    const video = this.dialog.querySelector("video");
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    video.load();
  }

  /** Does what was asked for in the dialog; what goes wrong is said there. */
  async #try(action) {
    const said = this.dialog.querySelector(".status");
    said.textContent = "";
    try {
      await action();
    } catch (error) {
      said.textContent = Failure.of(error).sentence;
    }
  }
}

/** The picture that an element shows, on a canvas of its own. */
function thumbnail(element) {
  const width = element.videoWidth || element.width;
  const height = element.videoHeight || element.height;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.setAttribute("aria-hidden", "true");
  canvas.getContext("2d").drawImage(element, 0, 0, width, height);
  return canvas;
}
