/** How long it takes from a key to its picture, over the last presses. */

const KEPT = 240;

export class Meter {
  #times = [];
  #last = -1; // the control that was seen last

  /** A frame is drawn that follows a control: `{id, clock}`. The first frame of each control counts; returns whether it did. */
  count({ id, clock }, now) {
    if (id === this.#last) return false;
    this.#last = id;
    this.#times.push(now - clock);
    if (this.#times.length > KEPT) this.#times.shift();
    return true;
  }

  clear() {
    this.#times = [];
  }

  /** The times so far, in milliseconds. */
  get times() {
    return [...this.#times];
  }

  /** Milliseconds within which a share of the presses were seen; null before the first. */
  within(share) {
    if (!this.#times.length) return null;
    const sorted = [...this.#times].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  }
}
