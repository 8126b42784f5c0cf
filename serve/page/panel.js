/** One video on the page and all that can be done with it. */

import { download, fetchVideo } from "./api.js";
import { Connection } from "./connection.js";
import { Controls } from "./controls.js";
import { Failure } from "./errors.js";
import { readPicture } from "./picture.js";
import { randomSeed } from "./settings.js";
import { ServedStream } from "./stream.js";
import { OPENINGS, PanelView } from "./view.js";

const MOST_PROMPTS = 256; // of a timeline that the server takes
const AWAKE = 0.6; // share of the time that the server lets a stream be paused

export class Panel {
  #connection = null;
  #stream = null;
  #state = "empty"; // waiting, playing, paused, ended, lost
  #begun = null; // what began the stream: {message, picture}
  #picture = null; // what the next video begins with
  #key = Symbol(); // tells this video from others in the gallery
  #hidden = false; // paused since nobody can see it
  #asleep = null; // in a long pause a snapshot, and no connection
  #bedtime = 0; // the timer of a pause

  /**
   * @param page what is around it: `size` of the video, `limits` of the server, `known` words, `world`, `settings`, `gallery`, and
   *   `branch(panel, futures)`, `close(panel)`. A `world` is `{space, starts, opening}`, or null.
   */
  constructor(page) {
    this.page = page;
    this.controls = page.world && new Controls(page.world.space);
    const world = page.world && { ...page.world, pad: this.controls.pad };
    this.view = new PanelView(page.size.fps, page.known, world, {
      send: (prompt) => this.send(prompt),
      toggle: () => this.toggle(),
      touch: () => this.#touch(),
      restart: () => this.#try(() => this.#restart()),
      stop: () => this.#try(() => this.#stop()),
      openBranching: (frame) => this.view.openBranching(frame, [this.#stream.started.seed, randomSeed()]),
      branch: () => this.#try(() => this.#branch()),
      save: (format) => this.#try(() => this.#save(format)),
      take: (file) => this.#try(() => this.#take(file)),
      forget: () => this.#give(null),
      reconnect: () => this.#try(() => this.#reconnect()),
      close: () => page.close(this),
    });
    this.view.input.maxLength = page.limits.prompt;
    this.#enter("empty");
  }

  get root() {
    return this.view.root;
  }

  get state() {
    return this.#state;
  }

  get stream() {
    return this.#stream;
  }

  /** Steers the video by a prompt, or begins one; without a prompt by the first example. */
  async send(text) {
    const begins = !this.#isLive || this.#picture !== null;
    const prompt = text.trim() || (begins ? this.#opening : "");
    if (!prompt) return;
    this.view.text = prompt;
    if (this.controls) this.view.leavePrompt();
    await this.#try(() => (begins ? this.#start(prompt, this.#picture) : this.#steer(prompt)));
  }

  /** Goes on, or stops for a while, or begins. */
  async toggle() {
    if (this.#state === "playing") await this.#try(() => this.#pause());
    else if (this.#state === "paused") await this.#try(() => this.#resume());
    else if (this.#state !== "waiting") await this.send(this.view.input.value);
  }

  /** A click on the picture: keys play there, so a world is not paused by it. */
  #touch() {
    if (this.controls && this.#state === "playing") this.view.focusPicture();
    else this.toggle();
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

  /** Shows one of the futures of another panel's video; rejects if the server does not give it. */
  async attach(parent, branched, index, prompt) {
    this.view.title = prompt ? `“${prompt}”, seed ${branched.seeds[index]}` : `Seed ${branched.seeds[index]}`;
    this.view.text = prompt ?? parent.view.input.value;
    this.#connection = await this.#connect();
    const stream = this.#use(new ServedStream(this.#connection, this.page.size, parent.stream));
    stream.player.inherit(parent.stream.player, branched.frame);
    this.view.timeline.inherit(parent.view.timeline, branched.frame);
    await stream.begin({ type: "attach", branch: branched.branches[index] });
    this.#enter("playing");
  }

  /** Ends all of it, and leaves what was made in the gallery. */
  async close() {
    await this.#shelve();
    this.end();
  }

  /** Ends all of it. */
  end() {
    clearTimeout(this.#bedtime);
    this.#stream?.close();
    this.#connection?.close();
    this.root.remove();
  }

  /** The prompt of a video that begins without one. */
  get #opening() {
    const { world } = this.page;
    const start = world?.starts.find(({ name }) => name === this.view.start);
    return start?.prompt || world?.opening || OPENINGS[0];
  }

  get #isLive() {
    return this.#state === "playing" || this.#state === "paused";
  }

  get #isConnected() {
    return this.#connection?.isOpen ?? false;
  }

  async #start(prompt, picture) {
    const { settings } = this.page;
    if (!settings.check()) return;
    const start = picture || !this.view.start ? {} : { start_name: this.view.start };
    const size = picture ? { picture_size: picture.bytes.byteLength } : start;
    await this.#begin({ type: "start", prompt, notes: true, ...size, ...settings.message() }, picture);
    if (this.#picture === picture) this.#give(null);
  }

  /** Begins a stream on the connection that is there, or on a new one. */
  async #begin(message, picture) {
    this.#enter("waiting");
    if (this.#isConnected) {
      await this.#stream?.stop();
      await this.#shelve();
    } else this.#connection = await this.#connect();
    const stream = this.#use(new ServedStream(this.#connection, this.page.size, message));
    if (picture) stream.player.paint(picture.canvas);
    this.view.timeline.clear();
    this.#begun = { message, picture };
    this.#key = Symbol();
    this.#asleep = null;
    await stream.begin(message, picture?.bytes);
    this.view.title = `Seed ${stream.started.seed}`;
    this.view.note(stream.started.notes);
    this.#enter("playing");
  }

  async #restart() {
    const prompt = this.view.input.value.trim() || this.view.timeline.prompts.at(-1)?.[1] || this.#opening;
    await this.#start(prompt, this.#picture ?? this.#begun?.picture ?? null);
  }

  async #steer(prompt) {
    await this.#wake();
    const { frame, prompt: taken, notes } = await this.#stream.steer(prompt);
    this.view.timeline.announce(frame, taken);
    this.view.say(`“${taken}” holds from frame ${frame}.`);
    this.view.note(notes);
  }

  /** Lets the next video begin with a picture. */
  async #take(file) {
    this.#give(await readPicture(file, this.page.size, this.page.limits.picture));
    if (this.#state === "empty") this.view.say("Say what happens next, and press Enter.");
    this.view.input.focus();
  }

  #give(picture) {
    this.#picture = picture;
    this.view.given = picture;
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

  async #stop() {
    await this.#wake();
    await this.#stream.stop();
    this.#enter("ended");
    await this.#shelve();
  }

  async #branch() {
    await this.#wake();
    await this.page.branch(this, this.view.futures);
  }

  async #save(format) {
    await this.#wake();
    this.view.say("Making the file …");
    const file = await fetchVideo(this.#stream.started.session, format, this.#stream.player.shown + 1);
    download(file);
    this.view.say(`Downloaded as ${file.name}.`);
  }

  /** Puts what was seen so far into the gallery; if the server cannot give it any more, it is left out. */
  async #shelve() {
    const { started, player } = this.#stream ?? {};
    if (!started || player.shown < 1 || !this.#isConnected) return;
    try {
      const tokens = await fetchVideo(started.session, "fct", player.shown + 1);
      const { prompts } = this.view.timeline;
      this.page.gallery.put(this.#key, { prompts, seed: started.seed, frames: player.shown + 1, tokens, element: player.element });
    } catch (error) {
      console.info(Failure.of(error).sentence);
    }
  }

  #rest() {
    clearTimeout(this.#bedtime);
    this.#bedtime = setTimeout(() => this.#try(() => this.#sleep()), this.page.limits.idle_seconds * 1000 * AWAKE);
  }

  /** Gives the place on the server back in a long pause; all that it takes to go on is kept here. */
  async #sleep() {
    if (this.#state !== "paused" || !this.#isConnected) return;
    const connection = this.#connection; // another one, if it is woken meanwhile
    this.#asleep = await connection.snapshot();
    await this.#shelve();
    connection.close();
  }

  async #wake() {
    if (this.#state === "paused") this.#rest();
    if (this.#asleep === null) return;
    await this.#carryOn({ type: "restore", size: this.#asleep.length }, this.#asleep);
    this.#asleep = null;
    await this.#stream.pause();
  }

  /** Goes on after the connection was lost: where it was, if the server can, or from the beginning. */
  async #reconnect() {
    const { started, player, seen } = this.#stream;
    const held = seen.length ? { held: seen } : {};
    if (started?.recoverable) {
      await this.#carryOn({ type: "recover", session: started.session, frame: player.received + 1, ...held });
      this.#enter("playing");
    } else if (this.#begun === null) await this.#restart();
    else await this.#begin(this.#again(), this.#begun.picture);
  }

  /** The message that makes this video from its beginning. */
  #again() {
    const { fps } = this.page.size;
    const [first, ...later] = this.view.timeline.prompts.map(([frame, prompt]) => [frame / fps, prompt]).slice(0, MOST_PROMPTS);
    const { message } = this.#begun;
    return first ? { ...message, prompt: null, timeline: [[0, first[1]], ...later] } : message;
  }

  /** Goes on with the same video by another connection. */
  async #carryOn(message, snapshot) {
    const before = this.#stream;
    this.#connection = await this.#connect();
    const stream = new ServedStream(this.#connection, this.page.size, before);
    stream.player.inherit(before.player, Infinity);
    stream.seen = before.seen;
    try {
      await this.#use(stream).begin(message, snapshot);
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  async #connect() {
    const connection = await Connection.open();
    connection.onlost = (failure) => this.#lose(failure);
    return connection;
  }

  /** Puts a stream in the place of the one before. */
  #use(stream) {
    this.#stream?.close();
    this.#stream = stream;
    stream.onshow = (index) => this.#show(index);
    stream.onrefusal = (failure) => this.view.say(failure.sentence, "error");
    stream.onprompt = (frame, prompt) => this.view.add(frame, prompt);
    stream.onarrival = (frame, seconds) => this.view.arrive(frame, seconds);
    stream.onend = () => {
      this.#enter("ended");
      this.#shelve();
    };
    this.view.picture = stream.player.element;
    return stream;
  }

  #show(index) {
    this.view.goTo(index);
    if (index % 6 === 0) this.view.measure(this.#stream, this.controls?.meter);
  }

  #lose(failure) {
    const live = this.#isLive || this.#state === "waiting";
    if (live) this.#stream?.player.pause();
    if (live || failure.code !== "idle") this.view.say(failure.sentence, "error");
    this.#enter(live ? "lost" : this.#state);
  }

  async #try(action) {
    try {
      this.view.say("");
      await action();
    } catch (error) {
      this.view.say(Failure.of(error).sentence, "error");
      if (this.#state === "waiting") this.#enter(this.#stream?.started ? "lost" : "empty");
    }
  }

  #enter(state) {
    this.#state = state;
    this.view.enter(state, this.#isLive || (state === "ended" && this.#isConnected));
    this.controls?.use(state === "playing" ? this.#stream : null);
    if (this.controls && state === "playing") this.view.focusPicture();
    if (state === "playing" && document.hidden) queueMicrotask(() => this.see(false));
  }
}
