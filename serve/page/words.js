/** The words that the model knows: those that it does not know are marked as one types. */

const WORD = /[\p{L}\p{N}_]+(?:['’-][\p{L}\p{N}_]+)*|[^\p{L}\p{N}_\s]/gu;
const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]/u; // scripts without spaces
const AROUND = /^[.!?…。！？"'“”‘’«»]+|[.!?…。！？"'“”‘’«»]+$/gu; // what people type around a prompt
const UNIT = "(?:ms|s|secs?|seconds?|m|mins?|minutes?)\\b";
const TIME = `(?:(?:and|then)\\s+)?(?:(?:at|from|after|@)\\s*\\d[\\d.,:]*(?:\\s*${UNIT})?|\\d[\\d.,:]*\\s*${UNIT}|\\d+:\\d[\\d.,:]*)[\\s,]*`;
const MOMENT = new RegExp(`^\\s*(?:${TIME})?(?:it\\b)?`, "iu"); // "at 2s it", which is no part of the prompt itself

/** The words of a model. */
export class KnownWords {
  #words;
  #fold;

  /** @param words an array; null if they are not known. */
  constructor(words) {
    this.all = words ?? [];
    this.#words = new Set(this.all);
    const lower = this.all.every((word) => word === word.toLowerCase());
    this.#fold = (word) => (lower ? word.normalize("NFKC").toLowerCase() : word.normalize("NFKC"));
  }

  /** Those of a text that the model does not know: `[{word, start, end}]`. Times and the "it" of a timeline are no words. */
  unknown(text) {
    if (!this.all.length || UNSPACED.test(text)) return [];
    const found = [];
    let offset = 0;
    for (const part of text.split(";")) {
      const syntax = MOMENT.exec(part)[0].length;
      const body = " ".repeat(syntax) + part.slice(syntax);
      for (const match of blankAround(body).matchAll(WORD)) {
        if (!this.#words.has(this.#fold(match[0]))) found.push({ word: match[0], start: offset + match.index, end: offset + match.index + match[0].length });
      }
      offset += part.length + 1;
    }
    return found;
  }
}

/** The text with blanks in the place of the signs around it. */
function blankAround(text) {
  const trimmed = text.trim();
  const start = text.indexOf(trimmed);
  const plain = trimmed.replace(AROUND, (signs) => " ".repeat(signs.length));
  return text.slice(0, start) + plain + text.slice(start + trimmed.length);
}

/** Marks the unknown words of a text field, says which they are, and offers the known ones. */
export class WordMarks {
  /** @param root an element with the parts of the page's template. */
  constructor(root, known) {
    this.known = known;
    this.input = root.querySelector(".prompt");
    this.marks = root.querySelector(".marks");
    this.unknown = root.querySelector(".unknown");
    this.input.addEventListener("input", () => this.mark());
    this.input.addEventListener("scroll", () => (this.marks.scrollTop = this.input.scrollTop), { passive: true });
    this.#offer(root.querySelector(".known"));
  }

  /** To be called too if the text was changed by the page. */
  mark() {
    const text = this.input.value;
    const found = this.known.unknown(text);
    const pieces = [];
    let end = 0;
    for (const word of found) {
      const mark = Object.assign(document.createElement("mark"), { textContent: word.word });
      pieces.push(text.slice(end, word.start), mark);
      end = word.end;
    }
    this.marks.replaceChildren(...pieces, text.slice(end));
    this.#say([...new Set(found.map(({ word }) => `“${word}”`))]);
  }

  #say(words) {
    const last = words.length > 1 ? ` and ${words.pop()}` : "";
    const sentence = words.length ? `This model does not know ${words.join(", ")}${last}.` : "";
    if (this.unknown.textContent !== sentence) this.unknown.textContent = sentence; // read aloud once
    this.input.title = sentence;
  }

  #offer(list) {
    const words = this.known.all;
    list.hidden = !words.length;
    list.querySelector("summary").textContent = `The ${words.length} words that this model knows`;
    for (const word of words) {
      const chip = Object.assign(document.createElement("button"), { type: "button", className: "chip", textContent: word });
      chip.addEventListener("click", () => this.#insert(word));
      list.querySelector(".chips").append(chip);
    }
  }

  /** Puts a word where the cursor is, with a blank on either side. */
  #insert(word) {
    const { value, selectionStart, selectionEnd } = this.input;
    const [before, after] = [value.slice(0, selectionStart), value.slice(selectionEnd)];
    const gap = before && !/\s$/.test(before) && word !== "," ? " " : "";
    this.input.setRangeText(`${gap}${word}${/^\s/.test(after) ? "" : " "}`, selectionStart, selectionEnd, "end");
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
    this.input.focus();
  }
}
