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

/** How long a key takes to its picture, in words to go on with. */
export function keyToPicture(meter) {
  const [half, most] = [meter.within(0.5), meter.within(0.95)];
  return half === null ? "" : ` · key to picture ${half.toFixed(0)} ms, 95 % within ${most.toFixed(0)} ms`;
}
