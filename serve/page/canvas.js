/** Pictures on a canvas, at the video's rate, a few frames after they came. */

const CUSHION = 3; // frames to wait for after a gap, so that the next one is not at hand at once
const PLENTY = 8; // frames with which nothing needs to be slowed down
const SLOWEST = 500; // milliseconds of a frame
const TYPES = { 1: "image/png", 2: "image/webp", 3: "image/jpeg" };
const EXACT = { premultiplyAlpha: "none", colorSpaceConversion: "none" };

/** Frames shown in the last two seconds, per second. */
export class Meter {
  #times = [];

  count(now) {
    this.#times.push(now);
    while (now - this.#times[0] > 2000) this.#times.shift();
  }

  clear() {
    this.#times = [];
  }

  get rate() {
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    return last > first ? ((this.#times.length - 1) * 1000) / (last - first) : 0;
  }
}

export class CanvasPlayer {
  #frames = []; // {index, bitmap, shared}, the bitmap null until it is decoded
  #context;
  #arrivals = [];
  #playing = false;
  #needed = 1;
  #due = 0;
  #request = 0;

  /** Index of the frame that is seen; -1 before the first. */
  shown = -1;
  /** Index of the last frame that came. */
  received = -1;
  /** Called with the index of each frame that was shown or skipped. */
  onshow = () => {};

  /**
   * @param size of the video: `{width, height, fps}`.
   * @param fast whether frames are shown as soon as they come.
   */
  constructor(size, fast) {
    this.element = document.createElement("canvas");
    this.element.width = size.width;
    this.element.height = size.height;
    this.element.setAttribute("role", "img");
    this.#context = this.element.getContext("2d", { alpha: false, willReadFrequently: true });
    this.interval = fast ? 0 : 1000 / size.fps;
  }

  /** Frames that wait to be shown. */
  get waiting() {
    return this.#frames.length;
  }

  /** Takes a frame that came. */
  push({ kind, index, payload }) {
    const frame = { index, bitmap: null, shared: false };
    this.#frames.push(frame);
    this.received = index;
    this.#arrivals.push(performance.now());
    if (this.#arrivals.length > 24) this.#arrivals.shift();
    createImageBitmap(new Blob([payload], { type: TYPES[kind] }), EXACT).then((bitmap) => (frame.bitmap = bitmap));
  }

  play() {
    if (this.#playing) return;
    this.#playing = true;
    this.#arrivals = [];
    this.#due = 0;
    this.#request = requestAnimationFrame((now) => this.#tick(now));
  }

  pause() {
    this.#playing = false;
    cancelAnimationFrame(this.#request);
  }

  /** No more frames come: what waits is shown without waiting for more. */
  end() {
    this.#needed = 1;
  }

  close() {
    this.pause();
    for (const frame of this.#frames.splice(0)) release(frame);
  }

  /** Shows a picture before the first frame. */
  paint(picture) {
    this.#context.drawImage(picture, 0, 0, this.element.width, this.element.height);
  }

  /** Begins with what another player shows and has still to show, up to the frame `stop`. */
  inherit(other, stop) {
    this.paint(other.element);
    this.shown = other.shown;
    this.received = Math.min(other.received, stop - 1);
    if (!(other instanceof CanvasPlayer)) return;
    const past = other.#frames.filter((frame) => frame.index < stop);
    for (const frame of past) frame.shared = true;
    this.#frames.unshift(...past);
  }

  #tick(now) {
    this.#request = requestAnimationFrame((later) => this.#tick(later));
    if (!this.#frames[0]?.bitmap || this.#frames.length < this.#needed) return;
    this.#needed = 1;
    if (now < this.#due) return;
    const step = this.#step();
    this.#due = this.#due < now - 2 * step ? now + step : this.#due + step; // who is late is not hurried afterwards
    this.#show(this.#frames.shift(), now);
    if (this.#frames.length === 0 && this.interval > 0) this.#needed = CUSHION;
  }

  /** Milliseconds until the next frame: longer than the video's where frames come slower, so that it flows. */
  #step() {
    if (this.#frames.length >= PLENTY || this.#arrivals.length < 9) return this.interval;
    const coming = (this.#arrivals.at(-1) - this.#arrivals[0]) / (this.#arrivals.length - 1);
    return this.interval === 0 ? 0 : Math.min(Math.max(this.interval, coming), SLOWEST);
  }

  #show(frame, now) {
    this.#context.drawImage(frame.bitmap, 0, 0);
    release(frame);
    this.shown = frame.index;
    this.element.dataset.frame = frame.index;
    this.onshow(frame.index, now);
  }
}

function release(frame) {
  if (!frame.shared) frame.bitmap?.close();
}
