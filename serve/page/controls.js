/** All that a person plays a world with, and the stream that it goes to. */

import { GamepadReader } from "./gamepad.js";
import { Hand } from "./hand.js";
import { Meter } from "./meter.js";
import { Pad } from "./pad.js";

const TEXT = "input, textarea, select, [contenteditable], dialog, [role=listbox]"; // where keys are not for playing
const PRESSES = ["Space", "Enter"]; // keys that press a button that has the focus
const PAUSE = 40; // milliseconds at least between two positions of axes that are told

export class Controls {
  #stream = null; // null while it is not played
  #measured = null; // the stream that the meter is about
  #told = null; // what the stream holds; null if nobody here knows
  #toldAt = 0;
  #timer = 0;
  #clock = null; // of what was told last
  #uncounted = null; // the clock of what no key told, or what a rest came after

  /** @param space what can be done: an action space as JSON. */
  constructor(space) {
    this.hand = new Hand(space);
    this.pad = new Pad(this.hand);
    this.gamepad = new GamepadReader(this.hand);
    this.meter = new Meter();
    this.hand.onchange = (held, time) => this.#change(held, time);
  }

  /** Lets what is held go to a stream, or to none if it is null. The one before is told that all is let go. */
  use(stream) {
    this.release();
    this.#agree();
    this.#stream = stream;
    this.gamepad.stop();
    if (stream !== null) this.#begin(stream);
    this.#uncounted = this.#clock;
  }

  #begin(stream) {
    this.#told = stream.holds ?? null;
    this.#agree(); // a branch holds what was held where it begins, and that key may be up by now
    if (stream !== this.#measured) this.meter.clear();
    this.#measured = stream;
    stream.oncontrol = (control, now) => this.#see(control, now);
    this.gamepad.start();
  }

  /** Whether a key goes to the world; if so, nothing else is to follow from it. */
  press(event) {
    if (this.#stream === null || !this.#isMine(event)) return false;
    if (!event.repeat) this.hand.press(event.code, event.timeStamp);
    return true;
  }

  /** A key goes up, wherever the focus is by now. */
  lift(event) {
    this.hand.lift(event.code, event.timeStamp);
    if (event.key === "Meta") this.release(); // a system that sees Meta tells of no other key that goes up
  }

  /** Lets go of everything, since nobody would be told of a key that goes up. */
  release() {
    this.hand.clear(performance.now());
  }

  /** A frame is drawn; who wants to know how long its key took can listen for `keyseen`. */
  #see(control, now) {
    if (control.clock === this.#uncounted || !this.meter.count(control, now)) return;
    this.pad.root.dispatchEvent(new CustomEvent("keyseen", { bubbles: true, detail: { milliseconds: now - control.clock } }));
  }

  #isMine({ code, target, ctrlKey, metaKey, altKey }) {
    if (ctrlKey || metaKey || altKey || !this.hand.knows(code) || target.closest?.(TEXT)) return false;
    return !(PRESSES.includes(code) && target.closest?.("button, summary, a"));
  }

  /** Tells of buttons at once, and of axes alone not too often. */
  #change(held, time) {
    this.pad.show(held);
    if (this.#stream === null) return;
    clearTimeout(this.#timer);
    const soon = String(held.buttons) === String(this.#told?.buttons) ? this.#toldAt + PAUSE - performance.now() : 0;
    if (soon > 0) this.#timer = setTimeout(() => this.#tell(held, time), soon);
    else this.#tell(held, time);
  }

  /** Tells the stream at once what is held, if it holds something else. */
  #agree() {
    clearTimeout(this.#timer);
    const { held } = this.hand;
    if (this.#stream !== null && JSON.stringify(held) !== JSON.stringify(this.#told)) this.#tell(held, performance.now());
  }

  #tell(held, time) {
    this.#told = held;
    this.#toldAt = performance.now();
    this.#clock = time;
    this.#stream.control(held, time);
  }
}
