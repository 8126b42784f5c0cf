/** The page: panels side by side, the settings, keys, light and dark. */

import { greet, token, words } from "./api.js";
import { Failure } from "./errors.js";
import { Gallery } from "./gallery.js";
import { keyLabel } from "./hand.js";
import { Panel } from "./panel.js";
import { dragsFiles } from "./picture.js";
import { SettingsForm } from "./settings.js";
import { KnownWords } from "./words.js";

const MOST_PANELS = 4;
const ROW = 48; // CSS pixels of a row of the pad, and the gap above it
const CONTROLS = "input, textarea, select, button, summary, dialog";
const CHOICES = {
  theme: { auto: "Auto", light: "Light", dark: "Dark" },
  scaling: { sharp: "Sharp picture", smooth: "Smooth picture" },
}; // what the buttons above go through, and what they say

class Page {
  #panels = [];
  #active = null; // the panel that keys play

  constructor(hello, known) {
    this.known = known;
    this.size = { width: hello.width, height: hello.height, fps: hello.fps, stride: hello.temporal_stride };
    this.world = worldOf(hello);
    this.limits = hello.limits;
    this.root = document.querySelector("#panels");
    document.documentElement.style.setProperty("--ratio", String(hello.width / hello.height));
    const rate = `${Number(hello.fps.toFixed(1))} frames a second`;
    const title = hello.title ?? hello.bundle;
    document.title = `${title} · Framecast`;
    document.querySelector("#model").textContent = `${title}, ${hello.width}×${hello.height} pixels, ${rate}`;
    this.settings = new SettingsForm(document.querySelector("#settings"), this.world !== null, hello.sampling);
    this.gallery = new Gallery(document.querySelector("#gallery"), document.querySelector("#replay"), hello.fps);
    this.gallery.onreuse = (prompt, seed) => this.#reuse(prompt, seed);
    this.#place([new Panel(this)]);
    if (this.world) {
      showKeys(this.world.space);
      document.documentElement.style.setProperty("--pad", `${ROW * this.#panels[0].controls.pad.rows}px`);
    }
    document.addEventListener("keydown", (event) => this.#onKey(event));
    document.addEventListener("keyup", (event) => this.#active.controls?.lift(event));
    document.addEventListener("focusin", (event) => event.target.closest("input, textarea, select, dialog") && this.#release());
    window.addEventListener("blur", () => this.#release());
    for (const kind of ["pointerdown", "focusin"]) this.root.addEventListener(kind, (event) => this.#activateAt(event.target));
    for (const kind of ["dragover", "drop"]) window.addEventListener(kind, keepPage);
    document.addEventListener("visibilitychange", () => this.#onVisibility());
    if (this.world === null) this.#panels[0].view.input.focus();
    else this.#panels[0].view.part(".play").focus({ preventScroll: true });
  }

  /** Puts futures of a panel's video in its place; if that fails, all stays as it was. */
  async branch(panel, wanted) {
    const { seeds, prompts } = wanted;
    if (this.#panels.length - 1 + seeds.length > MOST_PANELS) {
      throw new Failure("wrong_state", `${this.#panels.length} videos are shown, and ${MOST_PANELS} at most; close one first`);
    }
    const branched = await panel.stream.branch(wanted);
    const futures = seeds.map(() => new Panel(this));
    try {
      await Promise.all(futures.map((future, index) => future.attach(panel, branched, index, prompts[index])));
    } catch (error) {
      for (const future of futures) future.end();
      throw error;
    }
    this.#place(this.#panels.flatMap((other) => (other === panel ? futures : [other])));
    panel.close();
  }

  close(panel) {
    panel.close();
    this.#place(this.#panels.filter((other) => other !== panel));
  }

  #reuse(prompt, seed) {
    const { view } = this.#panels[0];
    this.settings.useSeed(seed);
    view.text = prompt;
    view.input.focus();
  }

  #place(panels) {
    this.#panels = panels;
    this.root.dataset.count = panels.length;
    this.root.replaceChildren(...panels.map((panel) => panel.root));
    if (!panels.includes(this.#active)) this.#activate(panels[0]);
    for (const panel of panels) if (panel.state === "playing") panel.stream.player.play(); // moving a video pauses it
    const shelf = panels.length === 1 ? panels[0].root.querySelector(".shelf") : document.querySelector("#shelf");
    shelf.append(this.settings.root);
  }

  #activate(panel) {
    if (panel === this.#active) return;
    this.#release();
    this.#active = panel;
    for (const each of this.#panels) each.root.dataset.active = String(each === panel);
  }

  #activateAt(element) {
    const panel = this.#panels.find(({ root }) => root.contains(element));
    if (panel) this.#activate(panel);
  }

  #release() {
    this.#active?.controls?.release();
  }

  #onVisibility() {
    for (const panel of this.#panels) panel.see(!document.hidden);
  }

  #onKey(event) {
    if (this.#active.controls?.press(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Escape" && this.world && event.target.closest(".composer")) this.#active.view.leavePrompt();
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(CONTROLS)) return;
    if (event.key === "/") this.#panels[0].view.input.focus();
    else if (event.key === " " || (event.key === "p" && this.world)) for (const panel of this.#panels) panel.toggle();
    else return;
    event.preventDefault();
  }
}

/** What one plays on this server: `{space, starts, opening}`; null if it only shows videos. */
function worldOf({ action_space: space, starts = [], opening = "" }) {
  return space ? { space, starts, opening } : null;
}

/** Says in the line at the foot which keys play. */
function showKeys({ buttons, axes }) {
  const all = [...buttons.map(({ key }) => key), ...axes.flatMap(({ keys }) => keys ?? [])].filter(Boolean);
  const caps = all.flatMap((code) => [Object.assign(document.createElement("kbd"), { textContent: keyLabel(code) }), " "]);
  const line = document.querySelector(".keys");
  const pause = all.includes("KeyP") ? [] : [Object.assign(document.createElement("kbd"), { textContent: "P" }), " pauses, "];
  line.replaceChildren(...caps, "play while they are held, ", ...pause, ...[...line.childNodes].slice(2));
}

/** A picture that is dropped beside a panel is not opened in the place of the page. */
function keepPage(event) {
  if (dragsFiles(event)) event.preventDefault();
}

function announce(failure) {
  const banner = document.querySelector("#banner");
  banner.textContent = failure.sentence;
  banner.hidden = false;
}

/** Lets a button above go through its choices; the one that was made is kept for the next visit. */
function setUpChoice(name) {
  const choices = CHOICES[name];
  const button = document.querySelector(`#${name}`);
  const choose = (choice) => {
    document.documentElement.dataset[name] = choice;
    button.querySelector("span").textContent = choices[choice];
    localStorage.setItem(`framecast.${name}`, choice);
  };
  const all = Object.keys(choices);
  const kept = localStorage.getItem(`framecast.${name}`);
  choose(all.includes(kept) ? kept : all[0]);
  button.addEventListener("click", () => choose(all[(all.indexOf(document.documentElement.dataset[name]) + 1) % all.length]));
}

async function main() {
  for (const name in CHOICES) setUpChoice(name);
  token();
  try {
    const hello = await greet();
    new Page(hello, new KnownWords(await words()));
  } catch (error) {
    announce(Failure.of(error));
  }
}

main();
