/** The pad of a world: its buttons to be pressed by finger or pointer, with the key of each, and its axes to be pushed. */

import { keyLabel, keyName } from "./hand.js";

const PLACES = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right", KeyW: "up", KeyS: "down", KeyA: "left", KeyD: "right" };
const TAP = 300; // milliseconds that a press without a finger or pointer lasts, such as one by voice

export class Pad {
  /** Rows of buttons, at most, where the pad is as wide as the picture. */
  rows = 0;

  #buttons = new Map(); // by name
  #sliders = new Map(); // likewise, {input, rest}
  #pushed = null; // the slider that somebody pushes

  /** @param hand what is told; its space says what there is. */
  constructor(hand) {
    this.hand = hand;
    const cross = piece("div", "pad-cross");
    const others = piece("div", "pad-others");
    const places = new Set();
    for (const button of hand.space.buttons) {
      const place = PLACES[button.key];
      const isFree = place && !places.has(place);
      const element = this.#button(button);
      if (isFree) element.style.gridArea = place;
      places.add(place);
      (isFree ? cross : others).append(element);
    }
    for (const axis of hand.space.axes) others.append(this.#slider(axis));
    this.rows = rowsOf(cross, others);
    this.root = piece("div", "pad");
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "What you can do");
    this.root.append(...[cross, others].filter((part) => part.children.length));
  }

  /** Marks what is held, by whatever. */
  show({ buttons, axes }) {
    for (const [name, element] of this.#buttons) {
      element.setAttribute("aria-pressed", String(buttons.includes(name)));
    }
    for (const [name, { input, rest }] of this.#sliders) if (input !== this.#pushed) input.value = axes[name] ?? rest;
  }

  #button({ name, key }) {
    const element = piece("button", "pad-button");
    element.type = "button";
    element.append(piece("span", "", name));
    if (key) {
      element.append(Object.assign(document.createElement("kbd"), { textContent: keyLabel(key) }));
      element.setAttribute("aria-label", `${name}, key ${keyName(key)}`);
    }
    element.setAttribute("aria-pressed", "false");
    this.#buttons.set(name, element);
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault(); // the focus stays where keys play
      element.setPointerCapture(event.pointerId);
      this.hand.hold(`pointer ${event.pointerId}`, name, event.timeStamp);
    });
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      element.addEventListener(kind, (event) => this.hand.release(`pointer ${event.pointerId}`, event.timeStamp));
    }
    element.addEventListener("contextmenu", (event) => event.preventDefault()); // a long press is a press
    element.addEventListener("click", (event) => event.detail === 0 && this.#tap(name, event.timeStamp));
    return element;
  }

  /** A press by a key or by voice, which has no end of its own. */
  #tap(name, time) {
    this.hand.hold(`tap ${name}`, name, time);
    setTimeout(() => this.hand.release(`tap ${name}`, performance.now()), TAP);
  }

  /** An axis: pushed while it is held, and then at rest again. */
  #slider({ name, keys, rest }) {
    const input = Object.assign(document.createElement("input"), { type: "range", min: -1, max: 1, step: 0.05, value: rest });
    const label = piece("label", "pad-axis");
    label.append(piece("span", "", name), ...(keys ? [piece("kbd", "", keyLabel(keys[0]))] : []), input);
    if (keys) label.append(piece("kbd", "", keyLabel(keys[1])));
    input.setAttribute("aria-label", name);
    this.#sliders.set(name, { input, rest });
    input.addEventListener("input", (event) => {
      this.#pushed = input;
      this.hand.hold(`slider ${name}`, name, event.timeStamp, input.valueAsNumber);
    });
    for (const kind of ["change", "blur", "pointercancel"]) {
      input.addEventListener(kind, (event) => {
        this.#pushed = null;
        input.value = rest;
        this.hand.release(`slider ${name}`, event.timeStamp);
      });
    }
    return label;
  }
}

/** The cross has two rows if something is up or down, and leaves no room beside it then. */
function rowsOf(cross, others) {
  const isTall = [...cross.children].some(({ style }) => ["up", "down"].includes(style.gridArea.split(" ")[0]));
  const beside = others.children.length ? 1 : 0;
  return isTall ? 2 + beside : Math.max(cross.children.length ? 1 : 0, beside);
}

function piece(tag, className, text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}
