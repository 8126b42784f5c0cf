/** The prompts of a video along its frames: what was shown, what is shown, what was asked for, and a moment that is chosen. */

import { changedWords } from "./changes.js";

const PIXELS = 48; // of a second
const AHEAD = 1.5; // seconds of room after the position

export class Timeline {
  #segments = []; // {frame, prompt, button}
  #waiting = null; // the segment of a prompt that does not hold yet
  #shown = 0;
  #chosen = { frame: 0, prompt: "" }; // a moment
  #follows = true;

  /** Called with a prompt that is to be used again. */
  onreuse = () => {};
  /** Called with the frame of a moment that is to have two futures. */
  onbranch = () => {};

  /** @param root an element with the parts of the page's template. */
  constructor(root, fps) {
    this.fps = fps;
    this.scroller = root.querySelector(".scroller");
    this.track = root.querySelector(".track");
    this.list = root.querySelector(".segments");
    this.ruler = root.querySelector(".ruler");
    this.head = root.querySelector(".head");
    this.mark = root.querySelector(".moment");
    this.detail = root.querySelector(".detail");
    this.list.addEventListener("keydown", (event) => this.#move(event));
    this.scroller.addEventListener("scroll", () => (this.#follows = this.#headIsInView()), { passive: true });
    this.track.addEventListener("click", (event) => this.#point(event));
    this.detail.querySelector(".reuse").addEventListener("click", () => this.onreuse(this.#chosen.prompt));
    this.detail.querySelector(".from").addEventListener("click", () => this.onbranch(this.#chosen.frame));
    this.clear();
  }

  /** Whether moments can have futures now. */
  canBranch = false;

  /** `[frame, prompt]` of all prompts so far. */
  get prompts() {
    return this.#segments.map(({ frame, prompt }) => [frame, prompt]);
  }

  /** The prompt that holds for a frame. */
  promptAt(frame) {
    return this.#segments.findLast((segment) => segment.frame <= frame)?.prompt ?? "";
  }

  clear() {
    this.#segments = [];
    this.#waiting?.button.remove();
    this.#waiting = null;
    this.list.replaceChildren();
    this.ruler.replaceChildren();
    this.detail.hidden = this.mark.hidden = true;
    this.#follows = true;
    this.goTo(0);
  }

  /** A prompt that holds from a frame on. */
  add(frame, prompt) {
    if (this.#segments.at(-1)?.prompt === prompt) return;
    const waiting = this.#waiting?.frame === frame ? this.#waiting : null;
    if (waiting) this.#waiting = null;
    const button = waiting?.button ?? this.#button();
    button.classList.remove("waiting");
    if (this.#waiting) this.#waiting.button.before(button);
    this.#segments.push(this.#label({ frame, prompt, button }));
    this.#layOut();
  }

  /** A prompt that was asked for and will hold from a frame on. */
  announce(frame, prompt) {
    this.#waiting?.button.remove();
    this.#waiting = null;
    if (this.#segments.at(-1)?.prompt === prompt) return;
    const button = this.#button();
    button.classList.add("waiting");
    this.#waiting = this.#label({ frame, prompt, button });
    this.#layOut();
  }

  /** Takes over what another timeline shows before a frame. */
  inherit(other, stop) {
    for (const [frame, prompt] of other.prompts) if (frame < stop) this.add(frame, prompt);
    this.goTo(Math.min(other.#shown, stop - 1));
  }

  /** The frame that is seen. */
  goTo(frame) {
    this.#shown = frame;
    this.head.style.transform = `translateX(${this.#at(frame)}px)`;
    this.#layOut();
    if (this.#follows) this.#follow();
  }

  #button() {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "segment", tabIndex: -1 });
    button.setAttribute("role", "option");
    button.setAttribute("aria-selected", "false");
    button.addEventListener("focus", () => this.#choose(button));
    this.list.append(button);
    if (this.list.children.length === 1) button.tabIndex = 0;
    return button;
  }

  #label(segment) {
    const words = changedWords(this.#segments.at(-1)?.prompt ?? "", segment.prompt);
    segment.button.replaceChildren(...words.flatMap(({ text, changed }, i) => [i ? " " : "", changed ? bold(text) : text]));
    segment.button.title = segment.prompt;
    segment.button.setAttribute("aria-label", `${segment.prompt}, from ${clock(segment.frame / this.fps)}`);
    return segment;
  }

  #layOut() {
    const all = this.#waiting ? [...this.#segments.slice(-1), this.#waiting] : this.#segments.slice(-2);
    const end = Math.max(this.#shown + this.fps * AHEAD, (this.#waiting?.frame ?? 0) + this.fps * AHEAD);
    all.forEach(({ frame, button }, i) => {
      const stop = all[i + 1]?.frame ?? (this.#waiting ? end : this.#shown);
      button.style.left = `${this.#at(frame)}px`;
      button.style.width = `${Math.max(this.#at(stop) - this.#at(frame) - 2, 6)}px`;
    });
    this.track.style.width = `${this.#at(end)}px`;
    const seconds = Math.max(end / this.fps, 40);
    for (let second = this.ruler.children.length * 5; second <= seconds; second += 5) this.#rule(second);
  }

  #rule(second) {
    const mark = Object.assign(document.createElement("span"), { textContent: clock(second) });
    mark.style.left = `${second * PIXELS}px`;
    this.ruler.append(mark);
  }

  #follow() {
    const room = this.scroller.clientWidth - this.#at(this.fps * AHEAD);
    this.scroller.scrollLeft = this.#at(this.#shown) - Math.max(room, 0);
  }

  /** Chooses a prompt, at its beginning. */
  #choose(button) {
    const all = this.#all;
    const index = all.findIndex((segment) => segment.button === button);
    for (const { button: other } of all) {
      other.tabIndex = other === button ? 0 : -1;
      other.setAttribute("aria-selected", String(other === button));
    }
    const { frame, prompt } = all[index];
    const until = all[index + 1] ? ` to ${clock(all[index + 1].frame / this.fps)}` : "";
    this.#take(frame, prompt, `From ${clock(frame / this.fps)}${until}, frame ${frame}`);
  }

  /** Chooses the moment at which somebody points. */
  #point(event) {
    if (event.detail === 0 || !this.#segments.length) return; // a key, which chooses a prompt
    const place = event.clientX - this.track.getBoundingClientRect().left;
    if (!event.target.closest(".waiting")) this.#takeAt(Math.floor((place / PIXELS) * this.fps));
  }

  /** Chooses a moment, the nearest that was shown. */
  #takeAt(wanted) {
    const frame = Math.max(0, Math.min(Math.round(wanted), this.#shown));
    this.#take(frame, this.promptAt(frame), `${clock(frame / this.fps)}, frame ${frame}`);
  }

  #take(frame, prompt, when) {
    this.#chosen = { frame, prompt };
    this.mark.style.transform = `translateX(${this.#at(frame)}px)`;
    this.detail.querySelector(".when").textContent = when;
    this.detail.querySelector(".what").textContent = prompt;
    this.detail.querySelector(".from").disabled = !this.canBranch || frame > this.#shown;
    this.detail.hidden = this.mark.hidden = false;
  }

  get #all() {
    return this.#waiting ? [...this.#segments, this.#waiting] : this.#segments;
  }

  /** Goes from prompt to prompt, and with Shift from second to second. */
  #move(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.shiftKey && step) {
      event.preventDefault();
      this.#takeAt(this.#chosen.frame + step * this.fps);
      return;
    }
    const buttons = [...this.list.children];
    const here = buttons.indexOf(event.target);
    const there = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (there === undefined) return;
    event.preventDefault();
    buttons[there]?.focus();
  }

  #headIsInView() {
    const place = this.#at(this.#shown) - this.scroller.scrollLeft;
    return place >= 0 && place <= this.scroller.clientWidth;
  }

  #at(frame) {
    return (frame / this.fps) * PIXELS;
  }
}

function bold(text) {
  return Object.assign(document.createElement("strong"), { textContent: text });
}

/** Seconds as "1:05". */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
