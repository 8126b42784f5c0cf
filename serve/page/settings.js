/** What the next video is started with: seed, how tokens are chosen, how frames travel, a first picture. */

import { Failure } from "./errors.js";

export class SettingsForm {
  #picture = null; // a canvas of the video's size

  /** @param size of the video: `{width, height}`. */
  constructor(root, size) {
    this.root = root;
    this.size = size;
    this.form = root.querySelector("form");
    this.summary = root.querySelector(".chosen");
    this.preview = root.querySelector(".preview");
    this.form.addEventListener("input", () => this.#sum());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.elements.dice.addEventListener("click", () => this.throwDice());
    this.form.elements.picture.addEventListener("change", (event) => this.#read(event.target.files[0]));
    this.form.elements.forget.addEventListener("click", () => this.#show(null));
    this.#show(null);
  }

  /** Called with a Failure if a picture cannot be read. */
  onerror = () => {};

  get seed() {
    return Number(this.form.elements.seed.value || 0);
  }

  get format() {
    return this.form.elements.format.value;
  }

  get pace() {
    return this.form.elements.pace.value;
  }

  get picture() {
    return this.#picture;
  }

  throwDice() {
    this.form.elements.seed.value = randomSeed();
    this.#sum();
  }

  /** Whether all fields hold what they may; those that do not are shown. */
  check() {
    if (this.form.checkValidity()) return true;
    this.root.open = true;
    return this.form.reportValidity();
  }

  /** What a start message says beside the prompt. */
  message() {
    const { temperature, guidance, top_k, top_p, decoding } = this.form.elements;
    const settings = {
      temperature: Number(temperature.value),
      top_k: top_k.value ? Number(top_k.value) : null,
      top_p: top_p.value ? Number(top_p.value) : null,
      guidance_scale: Number(guidance.value),
      decoding: decoding.value,
    };
    const first_frames = this.#picture ? [this.#picture.toDataURL("image/png").split(",")[1]] : [];
    return { seed: this.seed, settings, first_frames, pace: this.pace, format: this.format };
  }

  async #read(file) {
    if (!file) return;
    try {
      this.#show(cover(await createImageBitmap(file), this.size));
    } catch {
      this.#show(null);
      this.onerror(new Failure("bad_frames", `${file.name} is no picture that this browser can read`));
    }
  }

  #show(picture) {
    this.#picture = picture;
    this.preview.replaceChildren(...(picture ? [picture] : []));
    this.preview.hidden = this.form.elements.forget.hidden = picture === null;
    if (picture === null) this.form.elements.picture.value = "";
    this.#sum();
  }

  #sum() {
    const picture = this.#picture ? ", from a picture" : "";
    this.summary.textContent = `seed ${this.seed}, ${this.format}${picture}`;
  }
}

/** A seed that is easy to read and to say. */
export function randomSeed() {
  return Math.floor(Math.random() * 10_000);
}

/** The middle of a picture, scaled to cover `size`, as a canvas. */
function cover(picture, { width, height }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.setAttribute("aria-hidden", "true");
  const scale = Math.max(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  const context = canvas.getContext("2d", { alpha: false });
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
  return canvas;
}
