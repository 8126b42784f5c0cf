/** A stream of the server on its way to a player: begun, steered, paused, branched, and given credit as it is seen. */

import { CanvasPlayer } from "./canvas.js";
import { Failure } from "./errors.js";
import { ShownRate } from "./rate.js";
import { VideoPlayer } from "./video.js";

const TYPES = { 1: "image/png", 2: "image/webp", 3: "image/jpeg" }; // of pictures, by the kind of a packet
const AHEAD = 12; // frames that may be on their way or wait here
const PLAYED = 4; // the same for who plays, or two latent frames: what is on its way is old when it comes
const CREDIT = 4; // frames after which the server is told that they were seen
const MOST_SEEN = 256; // changes of what was held that are remembered
const PATIENCE = 3000; // milliseconds for frames that are on their way

export class ServedStream {
  #connection;
  #owed = 0;
  #steers = []; // {frame, asked}: prompts that were changed and are not seen yet
  #shown = new ShownRate();
  #over = false;
  #told = new Map(); // what was held by each control that no frame followed yet

  /** Called with the index of each frame when it is seen. */
  onshow = () => {};
  /** Called with a frame and the prompt that holds from it on. */
  onprompt = () => {};
  /** Called with a frame and seconds, when a changed prompt is first seen. */
  onarrival = () => {};
  /** Called when a frame is drawn that follows a control: `{id, clock}`, and the time. */
  oncontrol = () => {};
  /** Called with a Failure if the server refuses a control. */
  onrefusal = () => {};
  /** Called when the last frame has come. */
  onend = () => {};

  /** What the server said at the start: session, seed, settings. */
  started = null;
  /** The control that holds, `{buttons, axes}`; null where another stream left off and nobody here knows. */
  holds = null;
  /** What was held in the last frames that came, each from its first frame on: `{frame, buttons, axes}`. */
  seen = [];
  /** Seconds from the last prompt, or the start, to its first picture; null before. */
  latency = null;

  /** @param size of the video: `{width, height, fps, stride}`, the last one the frames of a latent frame. */
  constructor(connection, size, { format, pace }) {
    this.#connection = connection;
    this.format = format;
    this.pace = pace;
    this.live = pace === "play";
    this.ahead = this.live ? Math.max(PLAYED, 2 * size.stride) : AHEAD;
    const options = { fast: pace === "fast", live: this.live };
    this.player = format === "h264" ? new VideoPlayer(size) : new CanvasPlayer(size, options);
    this.player.onshow = (index, now, _last, control) => this.#seen(index, now, control);
  }

  get rate() {
    return this.#shown.rate;
  }

  /** The share of its speed that the video has, if that is clearly less than all of it; else null. */
  get slowness() {
    return this.#over ? null : this.#shown.slowness(this.player.fps);
  }

  /** Begins with a message of type start, attach, recover or restore, and the bytes of a picture or a snapshot. */
  async begin(message, bytes) {
    const asked = performance.now();
    const { format, pace } = this;
    this.#connection.onpacket = ({ kind, ...frame }) => this.#take({ type: TYPES[kind], ...frame });
    this.#connection.onmessage = (reply) => this.#hear(reply);
    this.started = await this.#connection.ask({ ...message, format, pace, credits: this.ahead }, bytes);
    if (message.type === "start") {
      this.holds = { buttons: [], axes: {} };
      this.#steers.push({ frame: this.started.frame, asked });
    }
    this.player.play();
  }

  /** Changes the prompt; resolves to the frame from which it holds, and what it was taken for. */
  async steer(prompt) {
    const asked = performance.now();
    const receipt = await this.#connection.ask({ type: "prompt", prompt, notes: true });
    this.#steers.push({ frame: receipt.frame, asked });
    return receipt;
  }

  /** Says what is held from now on, `{buttons, axes}`, and since when. */
  control(held, clock) {
    if (this.#over) return;
    this.holds = held;
    this.#told.set(this.#connection.tell({ type: "control", ...held, clock }), held);
  }

  async pause() {
    this.player.pause();
    this.#shown.clear();
    if (!this.#over) await this.#connection.ask({ type: "pause" });
  }

  async resume() {
    this.player.play();
    if (!this.#over) await this.#connection.ask({ type: "resume" });
  }

  /**
   * Asks for other futures; resolves to their first frame and names, when all frames before them are here.
   *
   * @param futures `{seeds, prompts, frame}`, the last one null for now.
   */
  async branch(futures) {
    const branched = await this.#connection.ask({ type: "branch", ...futures });
    const deadline = performance.now() + PATIENCE;
    while (this.player.received < branched.frame - 1 && performance.now() < deadline) await pass(20);
    return branched;
  }

  /** Ends it on the server; what was seen can be saved until another one begins there. */
  async stop() {
    this.player.pause();
    if (!this.#over && this.started) await this.#connection.ask({ type: "stop" });
    this.#over = true;
  }

  close() {
    this.#connection.onpacket = this.#connection.onmessage = () => {};
    this.player.close();
  }

  #hear(message) {
    if (message.type === "shows") this.onprompt(message.frame, message.prompt);
    if (message.type === "error" && !message.fatal) this.onrefusal(new Failure(message.code, message.message));
    if (message.type !== "ended") return;
    this.#over = true;
    this.player.end();
    this.onend();
  }

  /** Takes a frame. Who plays gives credit as frames come, since not all of them are shown. */
  #take(frame) {
    this.#note(frame);
    this.player.push(frame);
    if (this.live) this.#repay(this.ahead / 2);
  }

  /** Remembers what a control held, from the first frame that follows it. */
  #note({ index, control }) {
    const held = control && this.#told.get(control.id);
    if (!held) return;
    this.seen = [...this.seen, { frame: index, ...held }].slice(-MOST_SEEN);
    for (const id of this.#told.keys()) if (id <= control.id) this.#told.delete(id);
  }

  /** Gives credit for a frame, `step` frames at a time. */
  #repay(step) {
    this.#owed += 1;
    if (this.#owed < step || this.#over) return;
    this.#connection.send({ type: "credit", frames: this.#owed });
    this.#owed = 0;
  }

  #seen(index, now, control) {
    this.#shown.count(now);
    if (!this.live) this.#repay(CREDIT);
    if (control) this.oncontrol(control, performance.now());
    while (this.#steers.length && this.#steers[0].frame <= index) this.#arrive(this.#steers.shift());
    this.onshow(index);
  }

  #arrive({ frame, asked }) {
    this.latency = (performance.now() - asked) / 1000;
    this.onarrival(frame, this.latency);
  }
}

function pass(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
