/** The entries of a video's timeline: what keys and fields do to them. An entry without an end holds until the next one. */

const SHORTEST = 0.1; // seconds
const round = (moment) => Math.round(moment * 1000) / 1000;

export class Entries {
  chosen = 0;

  constructor(list, seconds) {
    this.list = list.map((entry) => ({ ...entry }));
    this.seconds = seconds;
  }

  get current() {
    return this.list[this.chosen];
  }

  /** When an entry ends, also if it does not say. */
  end(index) {
    return this.list[index].end ?? this.list[index + 1]?.start ?? this.seconds;
  }

  choose(index) {
    this.chosen = Math.min(Math.max(index, 0), Math.max(this.list.length - 1, 0));
  }

  /** Chooses the entry that holds at a moment, if there is one. */
  chooseAt(moment) {
    const found = this.list.findLastIndex((entry, index) => entry.start <= moment + 1e-3 && moment < this.end(index));
    if (found >= 0) this.chosen = found;
    return found >= 0;
  }

  add(moment) {
    const start = round(Math.min(moment, Math.max(this.seconds - SHORTEST, 0)));
    const next = this.list.find((entry) => entry.start > start);
    for (const [index, entry] of this.list.entries()) if (entry.start < start && this.end(index) > start) entry.end = start;
    this.list = this.list.filter((entry) => entry.start !== start || entry.text);
    this.#insert({ start, end: next?.start ?? round(this.seconds), text: "" });
  }

  setStart(moment) {
    if (!this.current || moment > this.end(this.chosen) - SHORTEST) return false;
    const { current } = this;
    current.start = round(moment);
    this.#sort(current);
    return true;
  }

  setEnd(moment) {
    if (!this.current || moment < this.current.start + SHORTEST) return false;
    this.current.end = round(moment);
    return true;
  }

  /** Both halves keep the text. */
  split(moment) {
    if (!this.current || moment < this.current.start + SHORTEST || moment > this.end(this.chosen) - SHORTEST) return false;
    const { current } = this;
    const rest = { start: round(moment), end: round(this.end(this.chosen)), text: current.text };
    current.end = rest.start;
    this.#insert(rest);
    return true;
  }

  /** The chosen entry and the next one become one. */
  merge() {
    const next = this.list[this.chosen + 1];
    if (!next) return false;
    this.current.end = round(Math.max(this.end(this.chosen), this.end(this.chosen + 1)));
    if (next.text && next.text !== this.current.text) this.current.text = [this.current.text, next.text].filter(Boolean).join(", ");
    this.list.splice(this.chosen + 1, 1);
    return true;
  }

  remove() {
    if (!this.current) return false;
    this.list.splice(this.chosen, 1);
    this.choose(this.chosen);
    return true;
  }

  #insert(entry) {
    this.list.push(entry);
    this.#sort(entry);
  }

  #sort(entry) {
    this.list.sort((a, b) => a.start - b.start);
    this.chosen = this.list.indexOf(entry);
  }
}
