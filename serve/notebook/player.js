// The front end of framecast.serve.Player: draws frames at the video's rate, says which it has drawn, and sends what is asked.

import { CanvasPlayer } from "./canvas.js";
import { Controls } from "./controls.js";
import { SaveFields, SettingsFields, make } from "./fields.js";

const SHOWN_WIDTH = 384; // CSS pixels that a small video is scaled to, in whole steps
const SHARED = ["playing", "ended", "prompts", "notice", "error", "take", "seed", "settings"];
const LONGEST_WAIT = 4; // seconds of frames that a view keeps while it is not looked at

/** All elements of a view around its canvas; `root` holds the others. */
function build(canvas, width, pad) {
  const id = `framecast-${Math.random().toString(36).slice(2)}`;
  const parts = {
    canvas,
    play: make("button", { type: "button", class: "framecast-play" }),
    restart: make("button", { type: "button" }, "Restart"),
    counter: make("span", { class: "framecast-counter" }),
    timeline: make("ol", { class: "framecast-timeline", "aria-label": "Prompts so far", tabindex: "0" }),
    prompt: make("input", { id, type: "text", autocomplete: "off", spellcheck: "false", placeholder: "What happens next" }),
    send: make("button", { type: "submit" }, "Send"),
    notice: make("p", { class: "framecast-notice", role: "status", "aria-live": "polite" }),
    error: make("p", { class: "framecast-error", role: "alert", id: `${id}-error` }),
  };
  const shownWidth = width * Math.max(1, Math.round(SHOWN_WIDTH / width));
  canvas.classList.add("framecast-canvas");
  canvas.style.width = `${shownWidth}px`;
  parts.prompt.setAttribute("aria-describedby", parts.error.id);
  parts.form = make("form", { class: "framecast-form" }, make("label", { for: id }, "Prompt"), parts.prompt, parts.send);
  const bar = make("div", { class: "framecast-bar", role: "group", "aria-label": "Playback" });
  bar.append(parts.play, parts.restart, parts.counter);
  parts.settings = new SettingsFields(id);
  parts.save = new SaveFields(id);
  const more = make("div", { class: "framecast-more" }, parts.settings.root, parts.save.root);
  if (pad) Object.assign(canvas, { tabIndex: 0, title: "With the focus here, keys play" });
  parts.root = make(
    "div",
    { class: "framecast-player", role: "region", "aria-label": "Framecast player" },
    canvas, bar, ...(pad ? [pad.root] : []), parts.timeline, parts.form, parts.notice, parts.error, more,
  );
  parts.root.style.width = `max(26rem, ${shownWidth}px + 2rem)`; // whatever is said below the picture
  return parts;
}

/** Lists prompts, each with the frame from which it holds. */
function listPrompts(list, prompts) {
  const items = prompts.map(([first, text]) => {
    const when = make("span", {}, first === 0 ? "from the start" : `from frame ${first}`);
    return make("li", { title: text }, when, ` ${text}`);
  });
  list.replaceChildren(...items);
  list.scrollLeft = list.scrollWidth;
}

/** Makes each prompt as wide as it has held, and tells the one that holds and those to come from the others. */
function markPrompts(list, prompts, index) {
  const now = Math.max(index, prompts[0]?.[0] ?? 0);
  [...list.children].forEach((item, place) => {
    const first = prompts[place][0];
    const end = prompts[place + 1]?.[0] ?? Infinity;
    item.style.flexGrow = Math.max(0, Math.min(end, now + 1) - first);
    item.classList.toggle("framecast-coming", first > now);
    item.setAttribute("aria-current", String(first <= now && now < end));
  });
}

/** One view of the player: what is drawn when, and what is sent. */
class WidgetView {
  constructor(model) {
    this.model = model;
    this.take = -1; // counts restarts: frames of an earlier take are void
    this.seen = true;
    this.playing = model.get("playing");
    const size = { width: model.get("width"), height: model.get("height"), fps: model.get("fps") };
    this.player = new CanvasPlayer(size, { smooth: false, opaque: false });
    this.player.mayShow = () => this.seen && (this.playing || this.player.shown < 0); // a picture also of a video that rests
    this.player.onshow = (index, _now, isLast, control) => this.tell(index, isLast, control);
    this.controls = model.get("action_space") ? new Controls(model.get("action_space")) : null;
    this.parts = build(this.player.element, size.width, this.controls?.pad);
    this.handOver();
    this.listen();
    this.follow();
    this.player.play();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    model.send({ kind: "ready", autoplay: !calm });
  }

  listen() {
    const { play, restart, form, prompt, canvas } = this.parts;
    this.onMessage = (message, buffers) => this.hear(message, buffers[0]);
    this.onChange = () => this.follow();
    this.onPlaying = () => (this.playing = this.model.get("playing"));
    this.model.on("msg:custom", this.onMessage);
    for (const name of ["playing", "error"]) this.model.on(`change:${name}`, this.onPlaying);
    for (const name of SHARED) this.model.on(`change:${name}`, this.onChange);
    play.addEventListener("click", () => this.toggle());
    canvas.addEventListener("click", () => this.touch());
    restart.addEventListener("click", () => this.model.send({ kind: "restart" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.model.send({ kind: "prompt", text: prompt.value });
      prompt.select();
    });
    this.parts.settings.onbegin = (seed, settings) => this.model.send({ kind: "restart", seed, settings });
    this.parts.save.onsave = (path) => this.model.send({ kind: "save", path });
    this.parts.save.ondownload = (path) => this.model.send({ kind: "download", path });
    this.onKey = (event) => this.keepKey(event);
    window.addEventListener("keydown", this.onKey, { capture: true }); // a notebook listens as early as the document
    this.onLift = (event) => this.controls?.lift(event);
    this.onBlur = () => this.controls?.release();
    window.addEventListener("keyup", this.onLift, { capture: true });
    window.addEventListener("blur", this.onBlur);
    this.parts.root.addEventListener("focusout", this.onBlur);
    this.watcher = new IntersectionObserver((entries) => (this.seen = entries.at(-1).isIntersecting));
    this.watcher.observe(canvas);
  }

  /** Keeps plain keys from the notebook, whose shortcuts they are outside; Escape and those with Control still get there. */
  keepKey(event) {
    const isOurs = event.composedPath().includes(this.parts.root);
    if (isOurs && this.controls?.press({ ...readable(event), target: event.composedPath()[0] })) event.preventDefault();
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape");
    if (isPlain && isOurs) event.stopPropagation();
  }

  /** A click on the picture: a world that plays is not paused by it, since keys play there. */
  touch() {
    this.parts.canvas.focus();
    if (!this.controls || !this.playing) this.toggle();
  }

  /** Stops or goes on at once, whether the kernel has time or not. */
  toggle() {
    this.playing = !this.playing;
    this.model.send({ kind: this.playing ? "play" : "pause" });
    this.describe();
  }

  /** Takes frames, or a file that was asked for. */
  hear(message, buffer) {
    if (message.kind === "frames") this.add(message, buffer);
    else if (message.kind === "file") keepFile(message.name, buffer);
  }

  /** Takes the frames of a message: a PNG with one below the other. */
  add({ first, count, take, clock }, buffer) {
    if (take > this.take) this.begin(take);
    if (take < this.take) return;
    const control = typeof clock === "number" ? { id: clock, clock } : null;
    this.player.push({ type: "image/png", index: first, count, payload: buffer, control });
    this.player.trim(Math.ceil(LONGEST_WAIT * this.model.get("fps")));
  }

  /** Forgets what is of an earlier take, in which alone its keys were held. */
  begin(take) {
    const isFirst = this.take < 0;
    this.take = take;
    this.player.clear();
    if (!isFirst) this.handOver();
  }

  /** Lets go of what is held, and lets what is held from now on go to the world that begins. Nothing is held there. */
  handOver() {
    const { model } = this;
    const send = (held, clock) => model.send({ kind: "control", ...held, clock });
    this.controls?.use({ holds: { buttons: [], axes: {} }, control: send });
  }

  /** Takes what the kernel says. */
  follow() {
    if (this.model.get("take") > this.take) this.begin(this.model.get("take"));
    listPrompts(this.parts.timeline, this.model.get("prompts"));
    this.parts.settings.show(this.model.get("seed"), this.model.get("settings"));
    this.describe();
  }

  /** Says what was drawn. */
  tell(index, isLast, control) {
    if (control) this.controls?.meter.count(control, performance.now());
    if (isLast) this.model.send({ kind: "shown", index, take: this.take });
    this.describe();
  }

  /** Writes everything but the picture. */
  describe() {
    const { canvas, play, counter, timeline, prompt, notice, error } = this.parts;
    const { model } = this;
    const index = this.player.shown;
    const prompts = model.get("prompts");
    const held = prompts.filter(([first]) => first <= Math.max(index, 0)).at(-1)?.[1] ?? "";
    const label = this.playing ? "Pause" : model.get("ended") ? "Play again" : "Play";
    const total = model.get("num_frames") ? ` of ${seconds(model.get("num_frames"), model)}` : "";
    setText(play, label);
    const meter = this.controls ? keyToPicture(this.controls.meter) : "";
    setText(counter, index < 0 ? "no frame yet" : `frame ${index} · ${seconds(index, model)}${total}${meter}`);
    setText(notice, model.get("notice"));
    setText(error, model.get("error"));
    prompt.setAttribute("aria-invalid", String(model.get("error") !== ""));
    canvas.setAttribute("aria-label", `Generated video: ${held}`);
    markPrompts(timeline, prompts, index);
  }

  close() {
    this.player.close();
    this.controls?.use(null);
    this.watcher.disconnect();
    window.removeEventListener("keydown", this.onKey, { capture: true });
    window.removeEventListener("keyup", this.onLift, { capture: true });
    window.removeEventListener("blur", this.onBlur);
    this.model.off("msg:custom", this.onMessage);
    for (const name of ["playing", "error"]) this.model.off(`change:${name}`, this.onPlaying);
    for (const name of SHARED) this.model.off(`change:${name}`, this.onChange);
    this.model.send({ kind: "gone" });
  }
}

/** What matters of a key; within the shadow of a notebook its target has to be said besides. */
function readable({ code, key, repeat, timeStamp, ctrlKey, metaKey, altKey }) {
  return { code, key, repeat, timeStamp, ctrlKey, metaKey, altKey };
}

/** Gives a file to the browser, which puts it where downloads go. */
function keepFile(name, buffer) {
  const link = make("a", { href: URL.createObjectURL(new Blob([buffer])), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Time of a frame in the video. */
function seconds(index, model) {
  return `${(index / model.get("fps")).toFixed(1)} s`;
}

/** Sets text only if it is new, so that screen readers speak once. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function render({ model, el }) {
  const view = new WidgetView(model);
  el.append(view.parts.root);
  return () => view.close();
}

export default { render };
