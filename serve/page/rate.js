/** How fast frames are shown, and whether that is slower than they play. */

const SPAN = 2000; // milliseconds of a rate
const SLOW = 0.9; // share of the video's rate below which it is said
const FINE = 0.97; // and above which it is no longer said

export class ShownRate {
  #times = [];
  #since = 0;
  #slow = false;

  count(now) {
    if (!this.#times.length) this.#since = now;
    this.#times.push(now);
    while (now - this.#times[0] > SPAN) this.#times.shift();
  }

  clear() {
    this.#times = [];
    this.#slow = false;
  }

  /** Frames per second of the last two seconds. */
  get rate() {
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    return last > first ? ((this.#times.length - 1) * 1000) / (last - first) : 0;
  }

  /** The share of the video's rate if it is clearly slower, and has been for two seconds; else null. */
  slowness(fps) {
    const last = this.#times.at(-1) ?? 0;
    const share = this.rate / fps;
    if (last - this.#since < SPAN || share >= FINE) this.#slow = false;
    else if (share < SLOW) this.#slow = true;
    return this.#slow ? share : null;
  }
}
