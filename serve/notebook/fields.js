// Fields below the player: seed and settings of the video, and files that it is saved as.

/** An element with attributes, and children or text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const NUMBERS = [
  ["temperature", "Temperature", { min: 0, max: 10, step: "any" }, "How freely the model chooses: 0 always takes the likeliest."],
  ["guidance_scale", "Guidance", { min: 0, step: "any" }, "How strictly the video follows the prompt: 1 is as learned."],
  ["top_k", "Top k", { min: 1, step: 1, placeholder: "all" }, "Choose among so many of the likeliest tokens only."],
  ["top_p", "Top p", { min: 0, max: 1, step: "any", placeholder: "all" }, "Choose among the likeliest that have this share together."],
];
const DECODINGS = { token: "token by token", jacobi: "token by token, faster", row: "row by row", frame: "whole frames" };

/** Seed and settings: those of the video that plays, and others with which it can begin anew. */
export class SettingsFields {
  #shown = ""; // what the kernel has last said, so that what is being typed stays

  /** Called with a seed, as text, and settings by name. */
  onbegin = () => {};

  constructor(id) {
    this.chosen = make("span");
    this.seed = make("input", { type: "text", inputmode: "numeric", pattern: "[0-9]+", required: "", title: "The same seed gives the same video." });
    this.numbers = Object.fromEntries(NUMBERS.map(([name, , limits, title]) => [name, make("input", { type: "number", title, ...limits })]));
    this.decoding = make("select", { title: "How much of a frame is chosen at a time: less is more careful, more is faster." });
    this.decoding.append(...Object.entries(DECODINGS).map(([value, text]) => make("option", { value }, text)));
    const dice = make("button", { type: "button" }, "Another seed");
    const form = make("form", { class: "framecast-fields" }, labelled(`${id}-seed`, "Seed", this.seed));
    for (const [name, text] of NUMBERS) form.append(labelled(`${id}-${name}`, text, this.numbers[name]));
    form.append(labelled(`${id}-decoding`, "Decoding", this.decoding), dice, make("button", { type: "submit" }, "Begin anew with these"));
    this.root = make("details", {}, make("summary", {}, "Seed and settings ", this.chosen), form);
    dice.addEventListener("click", () => (this.seed.value = Math.floor(Math.random() * 10_000)));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.onbegin(this.seed.value, this.settings);
    });
  }

  get settings() {
    const read = ([name, input]) => [name, input.value === "" ? null : Number(input.value)];
    const given = Object.fromEntries(Object.entries(this.numbers).map(read));
    const decoding = this.decoding.value;
    return { ...given, decoding: decoding in DECODINGS ? decoding : Number(decoding) };
  }

  /** Shows what the video has. */
  show(seed, settings) {
    const told = JSON.stringify([seed, settings]);
    if (told === this.#shown || seed === undefined) return;
    this.#shown = told;
    this.chosen.textContent = `seed ${seed}`;
    this.seed.value = seed;
    for (const [name, input] of Object.entries(this.numbers)) input.value = settings[name] ?? "";
    if (!(settings.decoding in DECODINGS)) {
      this.decoding.append(make("option", { value: settings.decoding }, `${settings.decoding} tokens at a time`));
    }
    this.decoding.value = settings.decoding;
  }
}

/** The name of a file, to be written where the kernel runs or downloaded. */
export class SaveFields {
  onsave = () => {};
  ondownload = () => {};

  constructor(id) {
    this.name = make("input", { type: "text", value: "video.mp4", required: "", autocomplete: "off", spellcheck: "false" });
    const download = make("button", { type: "button" }, "Download");
    const form = make("form", { class: "framecast-fields framecast-save" }, labelled(`${id}-file`, "File", this.name));
    form.append(make("button", { type: "submit" }, "Save beside the notebook"), download);
    const kinds = "The ending says how: .mp4, .webp, .gif or .png for a video, .fct for its tokens, the numbers that the model has made.";
    this.root = make("details", {}, make("summary", {}, "Save"), form, make("p", { class: "framecast-kinds" }, kinds));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.onsave(this.name.value);
    });
    download.addEventListener("click", () => form.reportValidity() && this.ondownload(this.name.value));
  }
}

function labelled(id, text, field) {
  field.id = id;
  return make("label", { for: id, title: field.title }, make("span", {}, text), field);
}
