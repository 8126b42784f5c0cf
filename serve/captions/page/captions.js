/** The page of captions: the list of videos, one of them with its entries, keys, and saving as you go. */

import { Entries } from "./entries.js";
import * as server from "./folder.js";
import { Player } from "./player.js";

const AT_ONCE = 50; // videos of a page of the list
const SAVE_AFTER = 400; // milliseconds without a change
const KINDS = { none: "no captions", rules: "by rules", model: "by a model", hand: "by hand", other: "by others" };
const THEMES = { auto: "Auto", light: "Light", dark: "Dark" };
const at = (name) => document.querySelector(`#${name}`);

class Page {
  #start = 0;
  #total = 0;
  #rows = [];
  #opened = null; // the video that is shown, with its version
  #waiting = null; // the timer of what is not saved yet
  #saving = Promise.resolve();
  #asked = 0;

  constructor(folder) {
    this.media = folder.media;
    at("model").textContent = folder.folder;
    this.player = new Player(at("player"), at("still"));
    this.player.onmove = () => this.#showTime();
    this.player.onstate = () => (at("play").textContent = this.player.playing ? "Pause" : "Play");
    this.entries = new Entries([], 1);
    this.#listen();
  }

  #listen() {
    document.addEventListener("keydown", (event) => this.#onKey(event));
    for (const name of ["find", "show"]) at(name).addEventListener("input", () => this.list(0, true));
    at("before").onclick = () => this.list(this.#start - AT_ONCE);
    at("after").onclick = () => this.list(this.#start + AT_ONCE);
    at("seek").addEventListener("input", (event) => this.player.seek(Number(event.target.value)));
    const acts = { play: () => this.player.toggle(), add: () => this.#add(), split: () => this.#split(), merge: () => this.#merge(), delete: () => this.#remove() };
    for (const [name, act] of Object.entries(acts)) at(name).onclick = act;
    window.addEventListener("pagehide", () => this.flush());
    document.addEventListener("visibilitychange", () => document.hidden && this.flush());
  }

  /** Shows a page of the list; chooses its first video if that is wanted, or if none is open. */
  async list(start, fresh = false) {
    const asked = ++this.#asked;
    const found = await guarded(() => server.videos(Math.max(start, 0), AT_ONCE, at("show").value, at("find").value));
    if (!found || asked !== this.#asked) return;
    [this.#start, this.#total, this.#rows] = [found.start, found.total, found.videos];
    this.#showList(found.all);
    if (this.#rows.length && (!this.#opened || (fresh && !this.#rows.some((row) => row.file === this.#opened.file)))) await this.open(0);
  }

  /** Opens a video of the list, by its place there. */
  async open(index) {
    const { file } = this.#rows[index];
    await this.flush();
    const told = await guarded(() => server.video(file));
    if (!told) return;
    this.#opened = told;
    at("video").hidden = false;
    const query = new URLSearchParams({ file });
    this.entries = new Entries(told.captions, told.seconds ?? 1);
    this.player.open(`${this.media}/video?${query}`, `${this.media}/frame?${query}`, told.seconds);
    at("strip").src = `${this.media}/strip?${query}`;
    at("file").textContent = file;
    tell(told.broken ?? "");
    this.#mark(told);
    this.#show();
    for (const [place, button] of at("videos").querySelectorAll("button").entries()) button.setAttribute("aria-current", String(place === index));
    at("videos").querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" });
  }

  async #go(step) {
    const here = this.#rows.findIndex((row) => row.file === this.#opened?.file);
    const next = here + step;
    if (next >= 0 && next < this.#rows.length) return this.open(next);
    const start = this.#start + step * AT_ONCE;
    if (start < 0 || start >= this.#total) return;
    await this.list(start);
    await this.open(step > 0 ? 0 : this.#rows.length - 1);
  }

  #showList(all) {
    at("videos").replaceChildren(...this.#rows.map((row, index) => this.#rowOf(row, index)));
    const last = this.#start + this.#rows.length;
    at("where").textContent = this.#total ? `${this.#start + 1}–${last} of ${this.#total}${this.#total < all ? ` (${all} in all)` : ""}` : "no video fits";
    at("before").disabled = this.#start === 0;
    at("after").disabled = last >= this.#total;
  }

  #rowOf(row, index) {
    const button = element("button", { type: "button", onclick: () => this.open(index) });
    button.setAttribute("aria-current", String(row.file === this.#opened?.file));
    const badge = element("span", { className: "badge", textContent: KINDS[row.kind] });
    badge.dataset.kind = row.kind;
    button.append(element("span", { className: "name", textContent: row.file }), badge, element("span", { className: "first", textContent: row.first }));
    const item = element("li");
    item.append(button);
    return item;
  }

  /** Marks who wrote the captions, above the video and in the list. */
  #mark(told) {
    at("by").textContent = told.kind === "model" ? told.by.replace("model:", "by model ") : KINDS[told.kind];
    at("by").dataset.kind = told.kind;
    const index = this.#rows.findIndex((row) => row.file === told.file);
    if (index < 0) return;
    this.#rows[index] = told;
    at("videos").children[index].replaceWith(this.#rowOf(told, index));
  }

  #show() {
    at("entries").replaceChildren(...this.entries.list.map((entry, index) => this.#entryOf(entry, index)));
    at("empty").hidden = this.entries.list.length > 0;
    this.#showBars();
    this.#showTime();
  }

  #showBars() {
    const seconds = Math.max(this.player.seconds, 1e-3);
    const bars = this.entries.list.map((entry, index) => {
      const bar = element("span", { textContent: entry.text });
      bar.style.left = `${(100 * entry.start) / seconds}%`;
      bar.style.width = `${(100 * (this.entries.end(index) - entry.start)) / seconds}%`;
      return bar;
    });
    at("bars").replaceChildren(...bars);
    this.#showChosen();
  }

  #showChosen() {
    for (const list of [at("bars"), at("entries")]) {
      for (const [index, part] of [...list.children].entries()) part.dataset.chosen = String(index === this.entries.chosen);
    }
    at("merge").disabled = this.entries.chosen >= this.entries.list.length - 1;
    at("delete").disabled = at("split").disabled = this.entries.list.length === 0;
  }

  #showTime() {
    const { at: now, seconds } = this.player;
    if (this.entries.seconds !== seconds && this.#opened) {
      this.entries.seconds = seconds;
      this.#showBars();
    }
    at("time").textContent = `${now.toFixed(2)} of ${seconds.toFixed(2)} s`;
    Object.assign(at("seek"), { max: seconds, value: now });
    at("head").style.left = `${(100 * now) / seconds}%`;
  }

  #entryOf(entry, index) {
    const item = element("li");
    item.addEventListener("focusin", () => this.#choose(index));
    const number = (name, value) => {
      const input = element("input", { type: "number", min: "0", step: "0.05", value: value ?? "", placeholder: "next" });
      input.addEventListener("change", () => this.#setTime(index, name, input));
      return labelled(name === "start" ? "Start" : "End", input);
    };
    const text = element("textarea", { value: entry.text, rows: 1, maxLength: 2000 });
    text.addEventListener("input", () => {
      entry.text = text.value.replaceAll("\n", " ");
      at("bars").children[index].textContent = entry.text;
      this.#changed();
    });
    const written = labelled("What is seen", text);
    written.classList.add("text");
    item.append(number("start", entry.start), number("end", entry.end), written);
    return item;
  }

  #setTime(index, name, input) {
    this.#choose(index);
    if (name === "end" && input.value === "") this.entries.current.end = null;
    else if (!(name === "start" ? this.entries.setStart(Number(input.value)) : this.entries.setEnd(Number(input.value)))) tell("an entry ends after its start");
    this.#show();
    this.#changed();
  }

  #choose(index) {
    this.entries.choose(index);
    this.#showChosen();
  }

  #changed() {
    at("saved").textContent = "…";
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.flush(), SAVE_AFTER);
  }

  #edit(done) {
    if (!this.#opened || done === false) return;
    this.#show();
    this.#changed();
  }

  #add() {
    this.entries.add(this.player.at);
    this.#edit();
    this.#write();
  }

  #split() {
    this.entries.chooseAt(this.player.at);
    this.#edit(this.entries.split(this.player.at));
  }

  #merge() {
    this.#edit(this.entries.merge());
  }

  #remove() {
    this.#edit(this.entries.remove());
  }

  #step(by) {
    this.#choose(this.entries.chosen + by);
    if (this.entries.current) this.player.seek(this.entries.current.start);
    at("entries").children[this.entries.chosen]?.scrollIntoView({ block: "nearest" });
  }

  #write() {
    const text = at("entries").children[this.entries.chosen]?.querySelector("textarea");
    text?.focus();
    text?.select();
  }

  /** Saves what has changed, after what is being saved already. */
  flush() {
    if (this.#waiting === null) return this.#saving;
    clearTimeout(this.#waiting);
    this.#waiting = null;
    const [opened, captions] = [this.#opened, this.entries.list.map((entry) => ({ ...entry }))];
    this.#saving = this.#saving.then(() => this.#save(opened, captions));
    return this.#saving;
  }

  async #save(opened, captions) {
    try {
      const told = await server.save(opened.file, opened.version, captions);
      opened.version = told.version;
      at("saved").textContent = "Saved";
      tell("");
      this.#mark(told);
    } catch (error) {
      at("saved").textContent = "Not saved";
      if (error instanceof server.Conflict) this.#ask(error, opened, captions);
      else tell(error.message, { "Try again": () => this.#changed() });
    }
  }

  /** Another tab, or a program, has written other captions meanwhile. */
  #ask(conflict, opened, captions) {
    tell(`${opened.file}: ${conflict.message}`, {
      "Take theirs": () => {
        Object.assign(opened, conflict.now);
        if (this.#opened === opened) this.entries = new Entries(conflict.now.captions, this.player.seconds);
        this.#show();
        this.#mark(conflict.now);
        at("saved").textContent = "";
        tell("");
      },
      "Keep mine": () => {
        opened.version = conflict.now.version;
        const mine = this.#opened === opened ? this.entries.list : captions;
        this.#saving = this.#saving.then(() => this.#save(opened, mine));
      },
    });
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const field = event.target.closest("input:not([type=range]), textarea, select");
    if (field) {
      if (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey)) {
        event.preventDefault();
        field.blur();
      }
      return;
    }
    if (event.target.closest("button") && (event.key === " " || event.key === "Enter")) return; // the button's own
    const far = event.shiftKey ? 2 : 0.25;
    const acts = {
      j: () => this.#go(1), k: () => this.#go(-1), " ": () => this.player.toggle(),
      ArrowLeft: () => this.player.seek(this.player.at - far), ArrowRight: () => this.player.seek(this.player.at + far),
      ",": () => this.#step(-1), ".": () => this.#step(1), Enter: () => this.#write(), n: () => this.#add(), s: () => this.#split(),
      m: () => this.#merge(), Delete: () => this.#remove(), Backspace: () => this.#remove(),
      "[": () => this.#edit(this.entries.setStart(this.player.at)), "]": () => this.#edit(this.entries.setEnd(this.player.at)),
      "/": () => at("find").focus(),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

function element(name, values = {}) {
  return Object.assign(document.createElement(name), values);
}

function labelled(words, input) {
  const label = element("label", { className: "field", textContent: words });
  label.append(input);
  return label;
}

/** Says something that is wrong, with what can be done; nothing takes it away. */
function tell(words, choices = {}) {
  at("banner").hidden = words === "";
  at("banner").querySelector(".said").textContent = words;
  const buttons = Object.entries(choices).map(([textContent, onclick]) => element("button", { type: "button", textContent, onclick }));
  at("banner").querySelector(".buttons").replaceChildren(...buttons);
}

async function guarded(work) {
  try {
    return await work();
  } catch (error) {
    tell(error.message);
    return null;
  }
}

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  at("theme").textContent = THEMES[theme];
}

showTheme(localStorage.getItem("framecast.theme") ?? "auto");
at("theme").onclick = () => {
  const names = Object.keys(THEMES);
  const theme = names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length];
  localStorage.setItem("framecast.theme", theme);
  showTheme(theme);
};

const told = await guarded(server.folder);
if (told) {
  const page = new Page(told);
  await page.list(0);
}
