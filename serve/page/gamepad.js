/** A gamepad in the place of keys: sticks move axes, and buttons stand for buttons. */

const REST = 0.15; // of a stick that nobody touches
const HALF = 0.5; // of a stick that stands for a button
const STEPS = 20; // of a position that is told, from rest to an end
const CROSS = { ArrowUp: 12, ArrowDown: 13, ArrowLeft: 14, ArrowRight: 15, KeyW: 12, KeyS: 13, KeyA: 14, KeyD: 15 };
const STICK = { ArrowUp: [1, -1], ArrowDown: [1, 1], ArrowLeft: [0, -1], ArrowRight: [0, 1], KeyW: [1, -1], KeyS: [1, 1], KeyA: [0, -1], KeyD: [0, 1] };
const FACES = [0, 1, 2, 3, 7, 6, 5, 4]; // the four at the right thumb, then triggers and bumpers

/**
 * What a gamepad holds in a world, as `[name, value]` pairs.
 *
 * Axes of the world follow the sticks in order. A button with an arrow or W, A, S, D for a key follows the cross and, where no axis
 * does, the left stick; the other buttons follow the buttons of the gamepad in order.
 */
export function readGamepad({ axes, buttons }, space) {
  const isDown = (place) => (buttons[place]?.value ?? 0) > HALF;
  const stick = ([axis, sign]) => space.axes.length === 0 && sign * (axes[axis] ?? 0) > HALF;
  const held = [];
  let face = 0;
  for (const { name, key } of space.buttons) {
    const isOn = key in CROSS ? isDown(CROSS[key]) || stick(STICK[key]) : isDown(FACES[face++]);
    if (isOn) held.push([name, 1]);
  }
  space.axes.forEach(({ name }, place) => {
    const value = axes[place] ?? 0;
    if (Math.abs(value) > REST) held.push([name, Math.max(-1, Math.min(1, Math.round(value * STEPS) / STEPS))]);
  });
  return held;
}

/** Reads the gamepads of this machine while one is connected and wanted. */
export class GamepadReader {
  #request = 0;
  #names = new Set();

  constructor(hand) {
    this.hand = hand;
  }

  start() {
    cancelAnimationFrame(this.#request);
    this.#request = requestAnimationFrame((now) => this.#read(now));
  }

  stop() {
    cancelAnimationFrame(this.#request);
    this.#names.clear();
  }

  #read(now) {
    this.start();
    const pad = navigator.getGamepads?.().find((each) => each?.connected);
    const held = pad ? readGamepad(pad, this.hand.space) : [];
    for (const name of this.#names) if (!held.some(([other]) => other === name)) this.hand.release(`gamepad ${name}`, now);
    for (const [name, value] of held) this.hand.hold(`gamepad ${name}`, name, now, value);
    this.#names = new Set(held.map(([name]) => name));
  }
}
