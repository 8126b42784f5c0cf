/** What a panel shows, and which of its controls can be used; it asks nobody and decides nothing. */

import { Timeline, clock } from "./timeline.js";

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
   * @param on what is done: `send(prompt)`, `toggle()`, `restart()`, `stop()`, `openBranching()`, `branch()`, `save(format)`,
   *   `reconnect()`, `close()`.
   */
  constructor(fps, on) {
    this.fps = fps;
    this.root = document.importNode(document.querySelector("#panel").content.firstElementChild, true);
    this.input = this.part(".prompt");
    this.branching = this.part(".branching");
    this.timeline = new Timeline(this.part(".timeline"), fps);
    this.timeline.onreuse = (prompt) => (this.input.value = prompt);
    this.#connectButtons(on);
    this.#connectForms(on);
    this.#offer(".openings", OPENINGS, on);
    this.#offer(".turns", TURNS, on);
  }

  part(selector) {
    return this.root.querySelector(selector);
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

  /** @param state "empty", "waiting", "playing", "paused", "ended" or "lost"; `canSave`: whether there is something to save. */
  enter(state, canSave) {
    this.root.dataset.state = state;
    const live = state === "playing" || state === "paused";
    this.#showPlay(state);
    this.part(".restart").disabled = !live && state !== "ended";
    this.part(".stop").disabled = this.part(".branch").disabled = !live;
    for (const button of this.root.querySelectorAll(".save")) button.disabled = !canSave;
    if (!live) this.branching.hidden = true;
    this.part(".send").textContent = live ? "Steer" : "Start";
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

  /** Figures of a stream. */
  measure({ rate, latency, player }) {
    const seconds = latency === null ? "" : ` · ${latency.toFixed(1)} s to picture`;
    this.part(".figures").textContent = `${rate.toFixed(1)} fps · ${player.waiting} waiting${seconds}`;
    player.element.setAttribute("aria-label", `Video: ${this.timeline.promptAt(player.shown)}`);
  }

  /** News, which is read aloud too. */
  say(text, kind = "news") {
    this.part(".status").textContent = text;
    this.part(".status").dataset.kind = kind;
    this.part(".arrival").textContent = "";
  }

  /** When a prompt was first seen, beside the news. */
  arrive(frame, seconds) {
    const what = this.timeline.prompts.length > 1 ? `Seen at frame ${frame}` : "First picture";
    this.part(".arrival").textContent = `${what} after ${seconds.toFixed(1)} s.`;
  }

  /** Opens or closes the form for two futures. */
  toggleBranching(own, other) {
    const { hidden, elements } = this.branching;
    this.branching.hidden = !hidden;
    if (!hidden) return this.part(".branch").focus();
    elements.own.value = own;
    elements.other.value = other;
    elements.other.focus();
  }

  /** The seeds of that form. */
  get seeds() {
    return [this.branching.elements.own, this.branching.elements.other].map((input) => Number(input.value));
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
      ".picture": on.toggle,
      ".restart": on.restart,
      ".stop": on.stop,
      ".branch": on.openBranching,
      ".cancel": on.openBranching,
      ".reconnect": on.reconnect,
      ".close": on.close,
    };
    for (const [selector, action] of Object.entries(actions)) this.part(selector).addEventListener("click", () => action());
    for (const button of this.root.querySelectorAll(".save")) button.addEventListener("click", () => on.save(button.value));
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
      this.input.select();
    });
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
