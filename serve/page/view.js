/** What a panel shows, and which of its controls can be used; it asks nobody and decides nothing. */

import { keyToPicture } from "./meter.js";
import { draggedFile, dragsFiles } from "./picture.js";
import { Timeline, clock } from "./timeline.js";
import { WordMarks } from "./words.js";

/** Prompts that a video can begin with, and what "it" may do then. */
export const OPENINGS = [
  "a large red circle moves right",
  "a small blue ring bounces",
  "a yellow star falls",
  "a large green digit 7 moves up and left",
  "a small cyan square moves down, and a large orange ring stands still",
];
const TURNS = ["it stops", "it moves up", "it moves left", "it bounces", "it falls"];

export class PanelView {
  /**
   * @param fps of the video.
   * @param known the words of the model.
   * @param world `{pad, starts, opening}` of a world that one plays: the pad, the starts to choose from, and the prompt of a game
   *   that begins without one; null of a video.
   * @param on what is done: `send(prompt)`, `toggle()`, `touch()` of the picture, `restart()`, `stop()`, `openBranching(frame)`, `branch()`, `save(format)`,
   *   `take(file)`, `forget()`, `reconnect()`, `close()`.
   */
  constructor(fps, known, world, on) {
    this.fps = fps;
    this.world = world;
    this.root = document.importNode(document.querySelector("#panel").content.firstElementChild, true);
    this.input = this.part(".prompt");
    this.branching = this.part(".branching");
    this.timeline = new Timeline(this.part(".timeline"), fps);
    this.timeline.onreuse = (prompt) => (this.text = prompt);
    this.timeline.onbranch = (frame) => on.openBranching(frame);
    this.words = new WordMarks(this.root, known);
    this.#connectButtons(on);
    this.#connectForms(on);
    this.#connectFiles(on);
    this.part(".save[value=ndjson]").hidden = world === null;
    if (world !== null) this.#showWorld(world);
    else {
      this.#offer(".openings", OPENINGS, on);
      this.#offer(".turns", TURNS, on);
    }
  }

  part(selector) {
    return this.root.querySelector(selector);
  }

  /** What stands in the box for prompts. */
  set text(prompt) {
    this.input.value = prompt;
    this.words.mark();
  }

  /** The name that a panel beside others shows. */
  set title(text) {
    this.part(".title").textContent = text;
    this.root.setAttribute("aria-label", `Video, ${text}`);
  }

  /** The element that shows the frames. */
  set picture(element) {
    this.part(".picture").replaceChildren(element);
  }

  /** The name of the start at which the next video begins; "" if it is drawn anew. */
  get start() {
    return this.part(".starts select").value;
  }

  /** Lets keys play again after something was typed. */
  leavePrompt() {
    this.input.blur();
    this.focusPicture();
  }

  /** Puts the focus where keys play, unless somebody types. */
  focusPicture() {
    if (!document.activeElement?.closest("textarea, select, dialog, input")) this.part(".picture").focus({ preventScroll: true });
  }

  /** The picture that the next video begins with: `{name, canvas}`, or null. */
  set given(picture) {
    const given = this.part(".given");
    given.hidden = picture === null;
    this.root.dataset.given = picture !== null;
    for (const place of [".preview", ".offered"]) this.part(place).replaceChildren(...(picture ? [copy(picture.canvas)] : []));
    given.querySelector(".name").textContent = picture ? `The next video begins with ${picture.name}.` : "";
    if (picture === null) this.part(".file").value = "";
    this.#showSend();
  }

  /** @param state "empty", "waiting", "playing", "paused", "ended" or "lost"; `canSave`: whether there is something to save. */
  enter(state, canSave) {
    this.root.dataset.state = state;
    const live = state === "playing" || state === "paused";
    this.#showPlay(state);
    this.part(".restart").disabled = !live && state !== "ended";
    this.part(".stop").disabled = this.part(".branch").disabled = !live;
    for (const button of this.root.querySelectorAll(".save")) button.disabled = !canSave;
    this.timeline.canBranch = live;
    if (!live) this.branching.hidden = this.part(".slow").hidden = true;
    this.#showSend();
    this.part(".hint").hidden = state !== "empty";
    this.part(".lost").hidden = state !== "lost";
    this.part(".openings").hidden = live;
    this.#offerTurns();
  }

  /** A prompt that holds from a frame on. */
  add(frame, prompt) {
    this.timeline.add(frame, prompt);
    this.#offerTurns();
  }

  /** The frame that is seen. */
  goTo(index) {
    this.timeline.goTo(index);
    this.part(".time").textContent = clock(index / this.fps);
    this.part(".frame").textContent = `frame ${index}`;
  }

  /** Figures of a stream; `meter` has those of who plays. */
  measure({ rate, latency, slowness, player }, meter = null) {
    const seconds = latency === null ? "" : ` · ${latency.toFixed(1)} s from words to picture`;
    const more = meter === null ? ` · ${player.waiting} ready${seconds}` : keyToPicture(meter);
    this.part(".figures").textContent = `${rate.toFixed(1)} frames a second${more}`;
    this.#showSlowness(slowness);
    player.element.setAttribute("aria-label", `Video: ${this.timeline.promptAt(player.shown)}`);
  }

  /** News, which is read aloud too. */
  say(text, kind = "news") {
    this.part(".status").textContent = text;
    this.part(".status").dataset.kind = kind;
    this.part(".arrival").textContent = "";
  }

  /** What the model cannot show, a sentence each; what stands beside the prompt already is not said again. */
  note(sentences) {
    const said = this.part(".unknown").textContent.slice(0, -1);
    const news = (sentences ?? []).filter((text) => !said || !text.startsWith(said));
    this.part(".notes").replaceChildren(...news.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
  }

  /** When a prompt was first seen, beside the news. */
  arrive(frame, seconds) {
    const what = this.timeline.prompts.length > 1 ? `Seen at frame ${frame}` : "First picture";
    this.part(".arrival").textContent = `${what} after ${seconds.toFixed(1)} s.`;
  }

  /** Opens the form for two futures of a frame, or of now if it is null; `seeds` are those to begin with. */
  openBranching(frame, seeds) {
    const { elements } = this.branching;
    const prompt = frame === null ? (this.timeline.prompts.at(-1)?.[1] ?? "") : this.timeline.promptAt(frame);
    this.branching.hidden = false;
    this.branching.dataset.frame = frame ?? "";
    this.part(".branching .moment").textContent = frame === null ? "from now on" : `from ${clock(frame / this.fps)} on`;
    for (const input of [elements.prompt1, elements.prompt2]) Object.assign(input, { value: "", placeholder: prompt });
    [elements.own.value, elements.other.value] = seeds;
    elements.prompt1.focus();
  }

  closeBranching() {
    this.branching.hidden = true;
    this.part(".branch").focus();
  }

  /** What that form asks for: `{seeds, prompts, frame}`, with null for a prompt that stays and for now. */
  get futures() {
    const { prompt1, prompt2, own, other } = this.branching.elements;
    const prompts = [prompt1, prompt2].map((input) => input.value.trim() || null);
    const { frame } = this.branching.dataset;
    return { seeds: [Number(own.value), Number(other.value)], prompts, frame: frame ? Math.max(1, Number(frame)) : null };
  }

  #showSlowness(share) {
    const slow = this.part(".slow");
    slow.hidden = share === null;
    if (share === null) return;
    const frames = `${Math.round(share * this.fps)} frames a second come, and ${Number(this.fps.toFixed(1))} would play`;
    const sentence = `Slower than real time: the video runs at ${share.toFixed(1)} of its speed, since ${frames}.`;
    if (slow.textContent !== sentence) slow.textContent = sentence;
  }

  /** "Start" if a video would begin, "Steer" if the one that runs would follow. */
  #showSend() {
    const live = ["playing", "paused"].includes(this.root.dataset.state);
    this.part(".send").textContent = live && this.root.dataset.given !== "true" ? "Steer" : "Start";
  }

  #showPlay(state) {
    const playing = state === "playing";
    const button = this.part(".play");
    button.setAttribute("aria-label", playing ? "Pause" : "Play");
    button.querySelector("use").setAttribute("href", playing ? "#icon-pause" : "#icon-play");
    button.disabled = state === "waiting";
  }

  #connectButtons(on) {
    const actions = {
      ".play": on.toggle,
      ".picture": on.touch,
      ".restart": on.restart,
      ".stop": on.stop,
      ".branch": () => (this.branching.hidden ? on.openBranching(null) : this.closeBranching()),
      ".cancel": () => this.closeBranching(),
      ".choose": () => this.part(".file").click(),
      ".forget": on.forget,
      ".reconnect": on.reconnect,
      ".close": on.close,
    };
    for (const [selector, action] of Object.entries(actions)) this.part(selector).addEventListener("click", () => action());
    for (const button of this.root.querySelectorAll(".save")) button.addEventListener("click", () => on.save(button.value));
    const menu = this.part(".download");
    menu.addEventListener("keydown", (event) => event.key === "Escape" && this.#closeMenu(true));
    menu.addEventListener("focusout", (event) => menu.contains(event.relatedTarget) || this.#closeMenu(false));
    menu.querySelector(".choices").addEventListener("click", () => this.#closeMenu(true));
  }

  #closeMenu(goBack) {
    const menu = this.part(".download");
    if (menu.open && goBack) menu.querySelector("summary").focus();
    menu.open = false;
  }

  /** A picture can be chosen, or dropped anywhere on the panel. */
  #connectFiles(on) {
    const mark = (over) => this.root.classList.toggle("dropping", over);
    this.part(".file").addEventListener("change", ({ target }) => target.files[0] && on.take(target.files[0]));
    this.root.addEventListener("dragover", (event) => {
      if (!dragsFiles(event)) return;
      event.preventDefault();
      mark(true);
    });
    this.root.addEventListener("dragleave", (event) => mark(this.root.contains(event.relatedTarget)));
    this.root.addEventListener("drop", (event) => {
      if (!dragsFiles(event)) return;
      event.preventDefault();
      mark(false);
      const file = draggedFile(event.dataTransfer);
      if (file) on.take(file);
    });
  }

  #connectForms(on) {
    for (const [selector, action] of [[".composer", () => on.send(this.input.value)], [".branching", on.branch]]) {
      this.part(selector).addEventListener("submit", (event) => {
        event.preventDefault();
        action();
      });
    }
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      on.send(this.input.value);
      if (this.world === null) this.input.select();
    });
  }

  /** What a video has not: keys, a pad, and places to begin at. */
  #showWorld({ pad, starts, opening }) {
    const [hand, picture] = [this.part(".hand"), this.part(".picture")];
    this.root.dataset.world = "true";
    hand.append(pad.root);
    hand.hidden = false;
    picture.tabIndex = 0;
    picture.setAttribute("role", "application");
    picture.setAttribute("aria-label", "The world: with the focus here, keys play");
    this.part(".hint").textContent = "Press Start, and hold the keys below.";
    this.input.placeholder = opening;
    this.part(".starts").hidden = starts.length === 0;
    this.part(".starts select").append(...starts.map(({ name }, place) => new Option(name, name, place === 0, place === 0)));
  }

  /** Offers what "it" may do, if "it" is one thing. */
  #offerTurns() {
    const [, prompt] = this.timeline.prompts.at(-1) ?? [0, ""];
    this.part(".turns").hidden = !["playing", "paused"].includes(this.root.dataset.state) || /, and an? /.test(prompt);
  }

  #offer(selector, prompts, on) {
    for (const prompt of prompts) {
      const chip = Object.assign(document.createElement("button"), { type: "button", className: "chip", textContent: prompt });
      chip.addEventListener("click", () => on.send(prompt));
      this.part(selector).append(chip);
    }
  }
}

function copy(canvas) {
  const other = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  other.setAttribute("aria-hidden", "true");
  other.getContext("2d").drawImage(canvas, 0, 0);
  return other;
}
