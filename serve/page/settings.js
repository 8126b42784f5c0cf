/** What the next video is started with: seed, how tokens are chosen, how frames travel. */

export class SettingsForm {
  /**
   * @param plays whether one plays what starts, and not only watches it.
   * @param own how the model's tokens are best chosen.
   */
  constructor(root, plays, own = {}) {
    this.root = root;
    this.form = root.querySelector("form");
    this.#useSettings(own);
    this.summary = root.querySelector(".chosen");
    if (plays) this.form.elements.pace.prepend(new Option("for playing: keys are answered at once", "play", true, true));
    this.form.addEventListener("input", () => this.#sum());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.elements.dice.addEventListener("click", () => this.throwDice());
    this.#sum();
  }

  get seed() {
    return Number(this.form.elements.seed.value || 0);
  }

  get format() {
    return this.form.elements.format.value;
  }

  get pace() {
    return this.form.elements.pace.value;
  }

  throwDice() {
    this.useSeed(randomSeed());
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
    return { seed: this.seed, settings, pace: this.pace, format: this.format };
  }

  /** Lets the next video have a seed. */
  useSeed(seed) {
    this.form.elements.seed.value = seed;
    this.#sum();
  }

  #useSettings({ guidance_scale: guidance, ...others }) {
    for (const [name, value] of Object.entries({ guidance, ...others })) {
      const field = this.form.elements[name];
      if (field && value != null) field.value = value;
    }
  }

  #sum() {
    this.summary.textContent = `seed ${this.seed}`;
  }
}

/** A seed that is easy to read and to say. */
export function randomSeed() {
  return Math.floor(Math.random() * 10_000);
}
