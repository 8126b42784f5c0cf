/** Plays a video, or, if the browser cannot play its kind, shows pictures of it that the server makes. */

const PICTURES_A_SECOND = 4;

export class Player {
  #clock = null;
  #at = 0;
  #isStill = false;

  constructor(video, still) {
    this.video = video;
    this.still = still;
    this.onmove = () => {};
    this.onstate = () => {};
    video.addEventListener("error", () => video.getAttribute("src") && this.#showStills());
    for (const kind of ["timeupdate", "seeked", "loadedmetadata"]) video.addEventListener(kind, () => this.onmove());
    for (const kind of ["play", "pause", "ended"]) video.addEventListener(kind, () => this.onstate());
  }

  /** Another video: where it and its single pictures lie, and its length in seconds. */
  open(address, pictures, seconds) {
    this.pause();
    this.pictures = pictures;
    this.known = seconds;
    this.#at = 0;
    this.#isStill = false;
    this.still.hidden = true;
    this.video.hidden = false;
    this.video.src = address;
    this.onstate();
  }

  get seconds() {
    const own = this.video.duration;
    return !this.#isStill && Number.isFinite(own) && own > 0 ? own : (this.known ?? 1);
  }

  get at() {
    return this.#isStill ? this.#at : this.video.currentTime;
  }

  get playing() {
    return this.#isStill ? this.#clock !== null : !this.video.paused;
  }

  seek(moment) {
    const at = Math.min(Math.max(moment, 0), this.seconds);
    if (!this.#isStill) this.video.currentTime = at;
    this.#at = at;
    if (this.#isStill) this.#show();
    this.onmove();
  }

  toggle() {
    if (this.playing) this.pause();
    else if (this.#isStill) this.#clock = setInterval(() => this.#step(), 1000 / PICTURES_A_SECOND);
    else this.video.play().catch(() => this.#showStills());
    this.onstate();
  }

  pause() {
    clearInterval(this.#clock);
    this.#clock = null;
    this.video.pause();
    this.onstate();
  }

  #step() {
    if (this.#at >= this.seconds - 1 / PICTURES_A_SECOND) this.pause();
    else if (this.still.complete) this.seek(this.#at + 1 / PICTURES_A_SECOND);
  }

  #showStills() {
    this.#isStill = true;
    this.video.hidden = true;
    this.still.hidden = false;
    this.#show();
    this.onstate();
  }

  #show() {
    this.still.src = `${this.pictures}&at=${this.#at.toFixed(3)}`;
  }
}
