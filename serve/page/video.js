/** H.264 in a video element, fed with the pieces of an mp4 as they come. */

import { Failure } from "./errors.js";

const COMMON = 'video/mp4; codecs="avc1.42E01E"';
const KEPT = 10; // seconds behind the position that stay in memory

export class VideoPlayer {
  #source;
  #buffer = null;
  #pieces = [];
  #ended = false;
  #first = null;
  #request = 0;

  shown = -1;
  received = -1;
  onshow = () => {};

  constructor(size) {
    if (!globalThis.MediaSource?.isTypeSupported(COMMON)) {
      throw new Failure("page", "it does not play H.264; choose another format");
    }
    this.fps = size.fps;
    this.element = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    this.element.width = size.width;
    this.element.height = size.height;
    this.#source = new MediaSource();
    this.element.src = URL.createObjectURL(this.#source);
    this.#source.addEventListener("sourceopen", () => this.#feed(), { once: true });
  }

  get waiting() {
    return this.received - this.shown;
  }

  push({ index, payload }) {
    this.#first ??= index;
    if (this.shown < 0) this.shown = index - 1;
    this.received = index;
    this.#pieces.push(payload);
    this.#feed();
  }

  play() {
    this.element.play().catch(() => {}); // it is paused again before it began
    cancelAnimationFrame(this.#request);
    this.#watch();
  }

  pause() {
    this.element.pause();
    cancelAnimationFrame(this.#request);
  }

  end() {
    this.#ended = true;
    this.#feed();
  }

  close() {
    this.pause();
    URL.revokeObjectURL(this.element.src);
    this.element.removeAttribute("src");
  }

  paint() {}

  inherit(other, stop) {
    this.shown = Math.min(other.shown, stop - 1);
  }

  /** Says which frames are seen, as the video's clock goes on. */
  #watch() {
    this.#request = requestAnimationFrame((now) => {
      const index = Math.min((this.#first ?? 0) + Math.floor(this.element.currentTime * this.fps), this.received);
      while (this.#first !== null && this.shown < index) this.onshow(++this.shown, now);
      this.element.dataset.frame = this.shown;
      this.#watch();
    });
  }

  #feed() {
    if (this.#source.readyState !== "open" || this.#buffer?.updating) return;
    const piece = this.#pieces.shift();
    if (piece === undefined) this.#tidy();
    else {
      this.#buffer ??= this.#open(piece);
      this.#buffer.appendBuffer(piece);
    }
  }

  #open(piece) {
    const buffer = this.#source.addSourceBuffer(`video/mp4; codecs="${codec(piece)}"`);
    buffer.addEventListener("updateend", () => this.#feed());
    return buffer;
  }

  #tidy() {
    const start = this.#buffer?.buffered.length ? this.#buffer.buffered.start(0) : Infinity;
    if (this.element.currentTime - start > 2 * KEPT) this.#buffer.remove(start, this.element.currentTime - KEPT);
    else if (this.#ended) this.#source.endOfStream();
  }
}

/** The codec's name for a MediaSource: in an mp4's beginning profile, constraints and level follow "avcC" and a version. */
function codec(piece) {
  const start = piece.findIndex((_, i) => String.fromCharCode(...piece.subarray(i, i + 4)) === "avcC");
  const name = [...piece.subarray(start + 5, start + 8)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `avc1.${name.join("")}`;
}
