/** One video on the page: its picture, its timeline, and all that can be done with it. */

import { save } from "./api.js";
import { Connection } from "./connection.js";
import { Failure } from "./errors.js";
import { randomSeed } from "./settings.js";
import { Stream } from "./stream.js";
import { Timeline, clock } from "./timeline.js";

const MOST_PROMPTS = 256; // of a timeline that the server takes
const AWAKE = 0.6; // share of the time that the server lets a stream be paused
const OPENINGS = [
  "a large red circle moves right",
  "a small blue ring bounces",
  "a yellow star falls",
  "a large green digit 7 moves up and left",
  "a small cyan square moves down, and a large orange ring stands still",
];
const TURNS = ["it stops", "it moves up", "it moves left", "it bounces", "it falls"];

export class Panel {
  #connection = null;
  #stream = null;
  #state = "empty"; // empty, waiting, playing, paused, ended, lost
  #begun = null; // the message that began the stream
  #hidden = false; // paused since nobody can see it
  #asleep = null; // in a long pause a snapshot, and no connection
  #bedtime = 0; // the timer of a pause

  /**
   * @param page what is around it: `size` of the video, `limits` of the server, `settings`, and `branch(panel, seeds)`,
   *   `close(panel)`.
   */
  constructor(page) {
    this.page = page;
    this.root = document.importNode(document.querySelector("#panel").content.firstElementChild, true);
    this.timeline = new Timeline(this.root.querySelector(".timeline"), page.size.fps);
    this.timeline.onreuse = (prompt) => this.#fill(prompt);
    this.input = this.#part(".prompt");
    this.input.maxLength = page.limits.prompt;
    this.#connectControls();
    this.#offer();
    this.#enter("empty");
  }

  get state() {
    return this.#state;
  }

  get stream() {
    return this.#stream;
  }

  /** What is done with the text of the prompt: the video is steered, or begins. */
  async send(text = this.input.value) {
    const prompt = text.trim() || (this.#isLive ? "" : OPENINGS[0]);
    if (!prompt) return;
    this.#fill(prompt);
    await this.#try(() => (this.#isLive ? this.#steer(prompt) : this.#start({ prompt })));
  }

  /** Goes on, or stops for a while, or begins. */
  async toggle() {
    if (this.#state === "playing") await this.#try(() => this.#pause());
    else if (this.#state === "paused") await this.#try(() => this.#resume());
    else if (this.#state !== "waiting") await this.send();
  }

  /** Pauses while the page cannot be seen, and goes on afterwards. */
  async see(visible) {
    if (!visible && this.#state === "playing") {
      this.#hidden = true;
      await this.#try(() => this.#pause());
    } else if (visible && this.#hidden) {
      this.#hidden = false;
      if (this.#state === "paused") await this.#try(() => this.#resume());
    }
  }

  /** Shows one of the futures of another panel's video; rejects where the server does not give it. */
  async attach(parent, branched, index) {
    this.title = `Seed ${branched.seeds[index]}`;
    this.#fill(parent.input.value);
    this.#connection = await this.#connect();
    const stream = this.#use(new Stream(this.#connection, this.page.size, parent.stream));
    stream.player.inherit(parent.stream.player, branched.frame);
    this.timeline.inherit(parent.timeline, branched.frame);
    await stream.begin({ type: "attach", branch: branched.branches[index] });
    this.#enter("playing");
  }

  /** Ends all of it. */
  close() {
    clearTimeout(this.#bedtime);
    this.#stream?.close();
    this.#connection?.close();
    this.root.remove();
  }

  /** The name that a panel beside others shows. */
  set title(text) {
    this.#part(".title").textContent = text;
    this.root.setAttribute("aria-label", `Video, ${text}`);
  }

  get #isLive() {
    return this.#state === "playing" || this.#state === "paused";
  }

  async #start(scene) {
    if (!this.page.settings.check()) return;
    await this.#begin({ type: "start", ...scene, ...this.page.settings.message() }, this.page.settings.picture);
  }

  /** Begins a stream on the connection that is there, or on a new one. */
  async #begin(message, picture = null) {
    this.#enter("waiting");
    if (this.#isConnected) await this.#stream?.stop();
    else this.#connection = await this.#connect();
    const stream = this.#use(new Stream(this.#connection, this.page.size, message));
    if (picture) stream.player.paint(picture);
    this.timeline.clear();
    this.#begun = message;
    this.#asleep = null;
    await stream.begin(message);
    this.title = `Seed ${stream.started.seed}`;
    this.#enter("playing");
  }

  async #steer(prompt) {
    await this.#wake();
    const { frame, prompt: taken } = await this.#stream.steer(prompt);
    this.timeline.announce(frame, taken);
    this.#say(`“${taken}” holds from frame ${frame}.`);
  }

  async #pause() {
    this.#enter("paused");
    await this.#stream.pause();
    this.#rest();
  }

  async #resume() {
    await this.#wake();
    this.#enter("playing");
    await this.#stream.resume();
  }

  #rest() {
    clearTimeout(this.#bedtime);
    this.#bedtime = setTimeout(() => this.#try(() => this.#sleep()), this.page.limits.idle_seconds * 1000 * AWAKE);
  }

  /** Gives the place on the server back in a long pause; all that it takes to go on is kept here. */
  async #sleep() {
    if (this.#state !== "paused" || !this.#isConnected) return;
    this.#asleep = await this.#connection.snapshot();
    this.#connection.close();
  }

  async #wake() {
    if (this.#state === "paused") this.#rest();
    if (this.#asleep === null) return;
    await this.#carryOn({ type: "restore", size: this.#asleep.length }, this.#asleep);
    this.#asleep = null;
    await this.#stream.pause();
  }

  /** Goes on with the same video by another connection. */
  async #carryOn(message, snapshot) {
    const before = this.#stream;
    this.#connection = await this.#connect();
    const stream = new Stream(this.#connection, this.page.size, before);
    stream.player.inherit(before.player, Infinity);
    try {
      await this.#use(stream).begin(message, snapshot);
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  async #stop() {
    await this.#wake();
    await this.#stream.stop();
    this.#enter("ended");
  }

  async #restart() {
    await this.#start({ prompt: this.input.value.trim() || this.timeline.prompts.at(-1)?.[1] || OPENINGS[0] });
  }

  async #branch() {
    await this.#wake();
    const { own, other } = this.#part(".branching").elements;
    await this.page.branch(this, [Number(own.value), Number(other.value)]);
  }

  async #save(format) {
    await this.#wake();
    if (!this.#isConnected) throw new Failure("lost", "the server keeps a video only for as long as it is connected");
    this.#say("Saving …");
    this.#say(`Saved as ${await save(this.#stream.started.session, format, this.#stream.player.shown + 1)}.`);
  }

  /** Goes on after the connection was lost: where it was, if the server can, or from the beginning. */
  async #reconnect() {
    const { started, player } = this.#stream;
    if (started?.recoverable) {
      await this.#carryOn({ type: "recover", session: started.session, frame: player.received + 1 });
      this.#enter("playing");
      return;
    }
    const { fps } = this.page.size;
    const prompts = this.timeline.prompts.map(([frame, prompt]) => [frame / fps, prompt]).slice(0, MOST_PROMPTS);
    if (this.#begun === null || prompts.length === 0) await this.#restart();
    else await this.#begin({ ...this.#begun, prompt: null, timeline: [[0, prompts[0][1]], ...prompts.slice(1)] });
  }

  async #connect() {
    const connection = await Connection.open();
    connection.onlost = (failure) => this.#lose(failure);
    return connection;
  }

  get #isConnected() {
    return this.#connection?.isOpen ?? false;
  }

  /** Puts a stream in the place of the one before. */
  #use(stream) {
    this.#stream?.close();
    this.#stream = stream;
    stream.onshow = (index) => this.#show(index);
    stream.onprompt = (frame, prompt) => this.timeline.add(frame, prompt);
    stream.onarrival = (frame, seconds) => this.#arrive(frame, seconds);
    stream.onend = () => this.#enter("ended");
    this.#part(".picture").replaceChildren(stream.player.element);
    return stream;
  }

  #show(index) {
    this.timeline.goTo(index);
    this.#part(".time").textContent = clock(index / this.page.size.fps);
    this.#part(".frame").textContent = `frame ${index}`;
    if (index % 6 === 0) this.#measure();
  }

  #measure() {
    const { rate, latency, player } = this.#stream;
    const seconds = latency === null ? "" : ` · ${latency.toFixed(1)} s to picture`;
    this.#part(".stats").textContent = `${rate.toFixed(1)} fps · ${player.waiting} waiting${seconds}`;
    const prompt = this.timeline.prompts.findLast(([frame]) => frame <= player.shown)?.[1] ?? "";
    player.element.setAttribute("aria-label", `Video: ${prompt}`);
  }

  #arrive(frame, seconds) {
    const what = this.timeline.prompts.length > 1 ? `Seen at frame ${frame}` : "First picture";
    this.#part(".arrival").textContent = `${what} after ${seconds.toFixed(1)} s.`;
    this.#measure();
  }

  #lose(failure) {
    const live = this.#isLive || this.#state === "waiting";
    if (live) this.#stream?.player.pause();
    if (live || failure.code !== "idle") this.#tell(failure);
    this.#enter(live ? "lost" : this.#state);
  }

  async #try(action) {
    try {
      this.#say("");
      await action();
    } catch (error) {
      this.#tell(Failure.of(error));
      if (this.#state === "waiting") this.#enter(this.#stream?.started ? "lost" : "empty");
    }
  }

  #say(text) {
    this.#part(".status").textContent = text;
    this.#part(".status").dataset.kind = "news";
    this.#part(".arrival").textContent = "";
  }

  #tell(failure) {
    this.#say(failure.sentence);
    this.#part(".status").dataset.kind = "error";
  }

  #fill(prompt) {
    this.input.value = prompt;
  }

  #enter(state) {
    this.#state = this.root.dataset.state = state;
    const live = this.#isLive;
    const playing = state === "playing";
    this.#part(".play").setAttribute("aria-label", playing ? "Pause" : "Play");
    this.#part(".play use").setAttribute("href", playing ? "#icon-pause" : "#icon-play");
    this.#part(".play").disabled = state === "waiting";
    this.#part(".restart").disabled = !live && state !== "ended";
    this.#part(".stop").disabled = this.#part(".branch").disabled = !live;
    for (const button of this.root.querySelectorAll(".save")) button.disabled = !live && !(state === "ended" && this.#isConnected);
    if (!live) this.#part(".branching").hidden = true;
    this.#part(".send").textContent = live ? "Steer" : "Start";
    this.#part(".hint").hidden = state !== "empty";
    this.#part(".lost").hidden = state !== "lost";
    this.#part(".openings").hidden = live;
    this.#part(".turns").hidden = !live;
  }

  #openBranching() {
    const form = this.#part(".branching");
    form.hidden = !form.hidden;
    form.elements.own.value = this.#stream.started.seed;
    form.elements.other.value = randomSeed();
    if (!form.hidden) form.elements.other.focus();
  }

  #connectControls() {
    this.#onClick(".play", () => this.toggle());
    this.#onClick(".picture", () => this.toggle());
    this.#onClick(".restart", () => this.#try(() => this.#restart()));
    this.#onClick(".stop", () => this.#try(() => this.#stop()));
    this.#onClick(".branch", () => this.#openBranching());
    this.#onClick(".cancel", () => this.#openBranching());
    this.#onClick(".reconnect", () => this.#try(() => this.#reconnect()));
    this.#onClick(".close", () => this.page.close(this));
    for (const button of this.root.querySelectorAll(".save")) {
      button.addEventListener("click", () => this.#try(() => this.#save(button.value)));
    }
    this.#onSubmit(".composer", () => this.send());
    this.#onSubmit(".branching", () => this.#try(() => this.#branch()));
    this.input.addEventListener("keydown", (event) => this.#onKey(event));
  }

  #onKey(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.send();
    this.input.select();
  }

  #onClick(selector, action) {
    this.#part(selector).addEventListener("click", action);
  }

  #onSubmit(selector, action) {
    this.#part(selector).addEventListener("submit", (event) => {
      event.preventDefault();
      action();
    });
  }

  #offer() {
    for (const [selector, prompts] of [[".openings", OPENINGS], [".turns", TURNS]]) {
      for (const prompt of prompts) {
        const chip = Object.assign(document.createElement("button"), { type: "button", className: "chip", textContent: prompt });
        chip.addEventListener("click", () => this.send(prompt));
        this.#part(selector).append(chip);
      }
    }
  }

  #part(selector) {
    return this.root.querySelector(selector);
  }
}
