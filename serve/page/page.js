/** The page: panels side by side, the settings, keys, light and dark. */

import { greet, token } from "./api.js";
import { Failure } from "./errors.js";
import { Panel } from "./panel.js";
import { SettingsForm } from "./settings.js";

const MOST_PANELS = 4;
const CONTROLS = "input, textarea, select, button, summary, dialog";
const THEMES = { auto: "light", light: "dark", dark: "auto" }; // what follows what

class Page {
  #panels = [];

  constructor(hello) {
    this.size = { width: hello.width, height: hello.height, fps: hello.fps };
    this.limits = hello.limits;
    this.root = document.querySelector("#panels");
    document.documentElement.style.setProperty("--ratio", String(hello.width / hello.height));
    document.querySelector("#model").textContent = `${hello.bundle}, ${hello.width}×${hello.height} at ${hello.fps} fps`;
    this.settings = new SettingsForm(document.querySelector("#settings"), this.size);
    this.settings.onerror = (failure) => announce(failure);
    this.#place([new Panel(this)]);
    document.addEventListener("keydown", (event) => this.#onKey(event));
    document.addEventListener("visibilitychange", () => this.#onVisibility());
    this.#panels[0].view.input.focus();
  }

  /** Puts futures of a panel's video, one for each seed, in its place; if that fails, all stays as it was. */
  async branch(panel, seeds) {
    if (this.#panels.length - 1 + seeds.length > MOST_PANELS) {
      throw new Failure("wrong_state", `${this.#panels.length} videos are shown, and ${MOST_PANELS} at most; close one first`);
    }
    const branched = await panel.stream.branch(seeds);
    const futures = seeds.map(() => new Panel(this));
    try {
      await Promise.all(futures.map((future, index) => future.attach(panel, branched, index)));
    } catch (error) {
      for (const future of futures) future.close();
      throw error;
    }
    this.#place(this.#panels.flatMap((other) => (other === panel ? futures : [other])));
    panel.close();
  }

  close(panel) {
    panel.close();
    this.#place(this.#panels.filter((other) => other !== panel));
  }

  #place(panels) {
    this.#panels = panels;
    this.root.dataset.count = panels.length;
    this.root.replaceChildren(...panels.map((panel) => panel.root));
    for (const panel of panels) if (panel.state === "playing") panel.stream.player.play(); // moving a video pauses it
    const shelf = panels.length === 1 ? panels[0].root.querySelector(".shelf") : document.querySelector("#shelf");
    shelf.append(this.settings.root);
  }

  #onVisibility() {
    for (const panel of this.#panels) panel.see(!document.hidden);
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(CONTROLS)) return;
    if (event.key === "/") this.#panels[0].view.input.focus();
    else if (event.key === " ") for (const panel of this.#panels) panel.toggle();
    else return;
    event.preventDefault();
  }
}

function announce(failure) {
  const banner = document.querySelector("#banner");
  banner.textContent = failure.sentence;
  banner.hidden = false;
}

function chooseTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.querySelector("#theme span").textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
  localStorage.setItem("framecast.theme", theme);
}

function setUpTheme() {
  chooseTheme(localStorage.getItem("framecast.theme") ?? "auto");
  document.querySelector("#theme").addEventListener("click", () => chooseTheme(THEMES[document.documentElement.dataset.theme]));
}

async function main() {
  setUpTheme();
  token();
  try {
    new Page(await greet());
  } catch (error) {
    announce(Failure.of(error));
  }
}

main();
