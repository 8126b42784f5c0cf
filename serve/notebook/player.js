// The front end of framecast.serve.Player: draws frames at the video's rate, says which it has drawn, and sends what is asked.

const SHOWN_WIDTH = 384; // CSS pixels that a small video is scaled to, in whole steps
const SHARED = ["playing", "ended", "prompts", "notice", "error", "take"];
const LONGEST_WAIT = 4; // seconds of frames that a view keeps while it is not looked at

/** Frames that came and were not drawn yet, in order. */
class Reel {
  constructor() {
    this.clear(-1);
    this.arrivals = Promise.resolve();
  }

  clear(take) {
    this.frames = [];
    this.take = take;
    this.next = 0; // index of the next frame that is new
  }

  /** Takes the frames of a message: a PNG with one below the other. Pictures decode in any order and arrive in this one. */
  add(message, buffer) {
    const picture = createImageBitmap(new Blob([buffer], { type: "image/png" }));
    this.arrivals = this.arrivals.then(async () => this.append(message, await picture)).catch((error) => console.error(error));
  }

  append({ first, count, take }, picture) {
    if (take > this.take) this.clear(take);
    if (take < this.take) return;
    for (let row = 0; row < count; row++) {
      const index = first + row;
      if (index >= this.next) this.frames.push({ index, picture, row, last: row === count - 1 });
    }
    this.next = Math.max(this.next, first + count);
  }

  /** Forgets the oldest frames above a number of them. */
  trim(length) {
    if (this.frames.length > length) this.frames.splice(0, this.frames.length - length);
  }
}

/** An element with attributes, and children or text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** All elements of a view; `root` holds the others. */
function build(width, height) {
  const id = `framecast-${Math.random().toString(36).slice(2)}`;
  const parts = {
    canvas: make("canvas", { class: "framecast-canvas", width, height, role: "img" }),
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
  parts.canvas.style.width = `${shownWidth}px`;
  parts.prompt.setAttribute("aria-describedby", parts.error.id);
  parts.form = make("form", { class: "framecast-form" }, make("label", { for: id }, "Prompt"), parts.prompt, parts.send);
  const bar = make("div", { class: "framecast-bar", role: "group", "aria-label": "Playback" });
  bar.append(parts.play, parts.restart, parts.counter);
  parts.root = make(
    "div",
    { class: "framecast-player", role: "region", "aria-label": "Framecast player" },
    parts.canvas, bar, parts.timeline, parts.form, parts.notice, parts.error,
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
class View {
  constructor(model) {
    this.model = model;
    this.reel = new Reel();
    this.parts = build(model.get("width"), model.get("height"));
    this.context = this.parts.canvas.getContext("2d");
    this.index = -1; // the frame to be seen
    this.due = null; // when the next frame is to be drawn; null after a rest
    this.seen = true;
    this.playing = model.get("playing");
    this.listen();
    this.follow();
    this.tick = this.tick.bind(this);
    this.request = requestAnimationFrame(this.tick);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    model.send({ kind: "ready", autoplay: !calm });
  }

  listen() {
    const { play, restart, form, prompt, canvas } = this.parts;
    this.onMessage = (message, buffers) => message.kind === "frames" && this.reel.add(message, buffers[0]);
    this.onChange = () => this.follow();
    this.onPlaying = () => (this.playing = this.model.get("playing"));
    this.model.on("msg:custom", this.onMessage);
    for (const name of ["playing", "error"]) this.model.on(`change:${name}`, this.onPlaying);
    for (const name of SHARED) this.model.on(`change:${name}`, this.onChange);
    play.addEventListener("click", () => this.toggle());
    canvas.addEventListener("click", () => this.toggle());
    restart.addEventListener("click", () => this.model.send({ kind: "restart" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.model.send({ kind: "prompt", text: prompt.value });
      prompt.select();
    });
    this.onKey = (event) => this.keepKey(event);
    window.addEventListener("keydown", this.onKey, { capture: true }); // a notebook listens as early as the document
    this.watcher = new IntersectionObserver((entries) => (this.seen = entries.at(-1).isIntersecting));
    this.watcher.observe(canvas);
  }

  /** Keeps plain keys from the notebook, whose shortcuts they are outside; Escape and those with Control still get there. */
  keepKey(event) {
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape");
    if (isPlain && event.composedPath().includes(this.parts.root)) event.stopPropagation();
  }

  /** Stops or goes on at once, whether the kernel has time or not. */
  toggle() {
    this.playing = !this.playing;
    this.model.send({ kind: this.playing ? "play" : "pause" });
    this.describe();
  }

  /** Takes what the kernel says. */
  follow() {
    const take = this.model.get("take");
    if (take > this.reel.take) {
      this.reel.clear(take);
      this.index = -1;
      this.due = null;
      this.context.clearRect(0, 0, this.parts.canvas.width, this.parts.canvas.height);
    }
    listPrompts(this.parts.timeline, this.model.get("prompts"));
    this.describe();
  }

  tick(now) {
    this.request = requestAnimationFrame(this.tick);
    this.reel.trim(Math.ceil(LONGEST_WAIT * this.model.get("fps")));
    const isFirst = this.index < 0; // a picture also of a video that rests
    if (!this.seen || !(this.playing || isFirst) || !this.reel.frames.length) {
      this.due = null;
      return;
    }
    if (this.due === null || now - this.due > 250) this.due = now;
    if (now < this.due) return;
    this.due += 1000 / this.model.get("fps");
    this.draw(this.reel.frames.shift());
  }

  draw({ index, picture, row, last }) {
    const { width, height } = this.parts.canvas;
    this.context.drawImage(picture, 0, row * height, width, height, 0, 0, width, height);
    this.index = index;
    if (last) {
      picture.close();
      this.model.send({ kind: "shown", index, take: this.reel.take });
    }
    this.describe();
  }

  /** Writes everything but the picture. */
  describe() {
    const { canvas, play, counter, timeline, prompt, notice, error } = this.parts;
    const { model, index } = this;
    const prompts = model.get("prompts");
    const held = prompts.filter(([first]) => first <= Math.max(index, 0)).at(-1)?.[1] ?? "";
    const label = this.playing ? "Pause" : model.get("ended") ? "Play again" : "Play";
    const total = model.get("num_frames") ? ` of ${seconds(model.get("num_frames"), model)}` : "";
    setText(play, label);
    setText(counter, index < 0 ? "no frame yet" : `frame ${index} · ${seconds(index, model)}${total}`);
    setText(notice, model.get("notice"));
    setText(error, model.get("error"));
    prompt.setAttribute("aria-invalid", String(model.get("error") !== ""));
    canvas.setAttribute("aria-label", `Generated video: ${held}`);
    markPrompts(timeline, prompts, index);
  }

  close() {
    cancelAnimationFrame(this.request);
    this.watcher.disconnect();
    window.removeEventListener("keydown", this.onKey, { capture: true });
    this.model.off("msg:custom", this.onMessage);
    for (const name of ["playing", "error"]) this.model.off(`change:${name}`, this.onPlaying);
    for (const name of SHARED) this.model.off(`change:${name}`, this.onChange);
    this.model.send({ kind: "gone" });
  }
}

/** Time of a frame in the video. */
function seconds(index, model) {
  return `${(index / model.get("fps")).toFixed(1)} s`;
}

/** Sets text only where it is new, so that screen readers speak once. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function render({ model, el }) {
  const view = new View(model);
  el.append(view.parts.root);
  return () => view.close();
}

export default { render };
