/** What a person holds in a world - keys, the pad, a gamepad - as the buttons and axes of its action space. */

const TURNS = { Arrow: "", Key: "", Digit: "", Numpad: "Num ", Left: "", Right: "" };
const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const SPOKEN = { ArrowLeft: "Left arrow", ArrowRight: "Right arrow", ArrowUp: "Up arrow", ArrowDown: "Down arrow" };

export class Hand {
  #keys = new Map(); // code: the things that it pushes, {name, value}
  #held = new Map(); // what holds something, such as "key ArrowLeft": {name, value}; the newest last
  #groups;
  #before = "";

  /** Called with `{buttons, axes}` when what is held has changed, and the time of the event that changed it. */
  onchange = () => {};

  /** @param space an action space as JSON: `{buttons: [{name, key, group}], axes: [{name, keys, rest}]}`. */
  constructor(space) {
    this.space = space;
    this.#groups = new Map(space.buttons.map(({ name, group }) => [name, group]));
    for (const { name, key } of space.buttons) if (key) this.#bind(key, { name, value: 1 });
    for (const { name, keys } of space.axes) keys?.forEach((key, end) => this.#bind(key, { name, value: end ? 1 : -1 }));
    this.#before = JSON.stringify(this.held);
  }

  /** Whether a key does something in this world. */
  knows(code) {
    return this.#keys.has(code);
  }

  /** What is held: of buttons that exclude each other, and of the two ends of an axis, what was pressed last. */
  get held() {
    const all = [...this.#held.values()].reverse();
    const taken = new Set();
    const buttons = [];
    const axes = {};
    for (const { name, value } of all) {
      const isAxis = !this.#groups.has(name);
      const key = isAxis ? name : (this.#groups.get(name) ?? `button ${name}`);
      if (isAxis ? name in axes : taken.has(key)) continue;
      if (isAxis) axes[name] = value;
      else {
        taken.add(key);
        buttons.push(name);
      }
    }
    return { buttons: buttons.sort(), axes };
  }

  /** A key that goes down. */
  press(code, time) {
    for (const { name, value } of this.#keys.get(code) ?? []) this.#put(`key ${code} ${name}`, name, value);
    this.#tell(time);
  }

  /** A key that goes up. */
  lift(code, time) {
    for (const { name } of this.#keys.get(code) ?? []) this.#held.delete(`key ${code} ${name}`);
    this.#tell(time);
  }

  /** Something else holds a button, or an axis at a value, under a name of its own. */
  hold(source, name, time, value = 1) {
    this.#put(source, name, value);
    this.#tell(time);
  }

  /** And lets it go. */
  release(source, time) {
    this.#held.delete(source);
    this.#tell(time);
  }

  /** Lets go of everything. */
  clear(time) {
    this.#held.clear();
    this.#tell(time);
  }

  #bind(code, thing) {
    this.#keys.set(code, [...(this.#keys.get(code) ?? []), thing]);
  }

  #put(source, name, value) {
    if (this.#held.get(source)?.name !== name) this.#held.delete(source); // so that it is the newest
    this.#held.set(source, { name, value });
  }

  #tell(time) {
    const { held } = this;
    const now = JSON.stringify(held);
    if (now === this.#before) return;
    this.#before = now;
    this.onchange(held, time);
  }
}

/** A key as it is printed on a keyboard. */
export function keyLabel(code) {
  if (code in ARROWS) return ARROWS[code];
  return code.replace(/^(Arrow|Key|Digit|Numpad)(?=.)/, (part) => TURNS[part]).replace(/(Left|Right)$/, (part) => TURNS[part]);
}

/** A key as it is read aloud. */
export function keyName(code) {
  return SPOKEN[code] ?? keyLabel(code);
}
