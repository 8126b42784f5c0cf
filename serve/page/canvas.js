/** Pictures on a canvas, at the video's rate: for the page, and for the widget of notebooks. */

const CUSHION = 3; // frames to wait for after a gap, so that the next one is not at hand at once
const PLENTY = 8; // frames with which nothing needs to be slowed down
const SLOWEST = 500; // milliseconds of a frame
const TICK = 8; // milliseconds, half of a screen's
const EXACT = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
const OPAQUE = { alpha: false, willReadFrequently: true };

export class CanvasPlayer {
  #frames = []; // {index, picture, row, last, first, control}: a picture has one frame or several, one below the other
  #latent = -1; // of the frame that came last
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
  /** Called with the index of each frame that is shown, the time, whether it is the last of its picture, and its control. */
  onshow = () => {};
  /** Whether a frame may be shown now. */
  mayShow = () => true;

  /**
   * @param size of the video: `{width, height, fps}`.
   * @param fast whether frames are shown as soon as they come.
   * @param live whether the first frame of a latent frame is shown as soon as it is there, in place of all that still wait.
   * @param smooth whether frames that come too slowly are shown more slowly, so that the video flows.
   * @param opaque whether there is nothing to be seen through the canvas before the first frame.
   */
  constructor(size, { fast = false, smooth = true, opaque = true, live = false } = {}) {
    this.element = document.createElement("canvas");
    this.element.width = size.width;
    this.element.height = size.height;
    this.element.setAttribute("role", "img");
    this.#context = this.element.getContext("2d", opaque ? OPAQUE : {});
    this.fps = size.fps;
    this.interval = fast ? 0 : 1000 / size.fps;
    this.smooth = smooth && !fast && !live;
    this.live = live;
  }

  /** Frames that wait to be shown. */
  get waiting() {
    return this.#frames.length;
  }

  /** Takes a picture that came, with `count` frames from `index` on. Those that came before are left out. */
  push({ type, index, payload, count = 1, latent = index, control = null }) {
    const picture = { bitmap: null, uses: 0, shared: false }; // the bitmap is null until it is decoded
    for (let row = 0; row < count; row++) {
      if (index + row <= this.received) continue;
      const first = row === 0 && latent !== this.#latent;
      this.#frames.push({ index: index + row, picture, row, last: row === count - 1, first, control });
      picture.uses += 1;
    }
    if (picture.uses === 0) return;
    this.received = index + count - 1;
    this.#latent = latent;
    this.#arrivals.push(performance.now());
    if (this.#arrivals.length > 24) this.#arrivals.shift();
    createImageBitmap(new Blob([payload], { type }), EXACT).then(
      (bitmap) => (picture.bitmap = bitmap),
      (error) => this.#drop(picture, error),
    );
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
    this.trim(0);
  }

  /** Forgets all frames, and shows none. */
  clear() {
    this.trim(0);
    this.shown = this.received = this.#latent = -1;
    this.#context.clearRect(0, 0, this.element.width, this.element.height);
  }

  /** Forgets the oldest frames above a number of them. */
  trim(length) {
    for (const frame of this.#frames.splice(0, Math.max(this.#frames.length - length, 0))) release(frame);
  }

  /** Shows a picture before the first frame. */
  paint(picture) {
    this.#context.drawImage(picture, 0, 0, this.element.width, this.element.height);
  }

  /** Begins with what another player shows and has still to show, up to the frame `stop`. */
  inherit(other, stop) {
    this.paint(other.element);
    this.shown = Math.min(other.shown, stop - 1);
    this.received = Math.min(other.received, stop - 1);
    if (!(other instanceof CanvasPlayer)) return;
    const past = other.#frames.filter((frame) => frame.index < stop);
    for (const { picture } of past) picture.shared = true;
    this.#frames.unshift(...past);
  }

  #tick(now) {
    this.#request = requestAnimationFrame((later) => this.#tick(later));
    if (!this.mayShow()) this.#due = 0;
    else if (this.live) this.#showNewest(now);
    else if (this.#frames[0]?.picture.bitmap && this.#frames.length >= this.#needed) this.#showDue(now);
  }

  #showDue(now) {
    this.#needed = 1;
    if (now < this.#due) return;
    const step = this.#step();
    this.#due = this.#due < now - 2 * step ? now + step : this.#due + step; // who is late is not hurried afterwards
    this.#show(this.#frames.shift(), now);
    if (this.#frames.length === 0 && this.smooth) this.#needed = CUSHION;
  }

  /** Shows what was made last, and what belongs to it at the video's rate; what is older is left out. */
  #showNewest(now) {
    const newest = this.#frames.findLastIndex(({ first, picture }) => first && picture.bitmap);
    if (newest > 0) for (const frame of this.#frames.splice(0, newest)) release(frame);
    const [frame] = this.#frames;
    if (!frame?.picture.bitmap || (!frame.first && now < this.#due)) return;
    this.#due = now + this.interval - TICK;
    this.#show(this.#frames.shift(), now);
  }

  /** Milliseconds until the next frame: longer than the video's if frames come slower, so that it flows. */
  #step() {
    if (!this.smooth || this.#frames.length >= PLENTY || this.#arrivals.length < 9) return this.interval;
    const coming = (this.#arrivals.at(-1) - this.#arrivals[0]) / (this.#arrivals.length - 1);
    return Math.min(Math.max(this.interval, coming), SLOWEST);
  }

  #show(frame, now) {
    const { width, height } = this.element;
    this.#context.drawImage(frame.picture.bitmap, 0, frame.row * height, width, height, 0, 0, width, height);
    release(frame);
    this.shown = frame.index;
    this.element.dataset.frame = frame.index;
    this.onshow(frame.index, now, frame.last, frame.control);
  }

  /** Leaves out a picture that cannot be decoded. */
  #drop(picture, error) {
    console.error(error);
    this.#frames = this.#frames.filter((frame) => frame.picture !== picture);
  }
}

function release({ picture }) {
  picture.uses -= 1;
  if (picture.uses === 0 && !picture.shared) picture.bitmap?.close();
}
