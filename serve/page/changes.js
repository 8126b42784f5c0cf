/** What a prompt says other than the prompt before it. */

const MOST_CHANGED = 0.7; // share of the words; above it there is little in common, and the whole prompt is clearer

/**
 * The changed words first, with the word before them to tell what they belong to: of "a red circle moves right" and then
 * "a red circle moves up", "moves" and, changed, "up".
 *
 * @returns `[{text, changed}]`, pieces that are to be shown one after the other; the whole prompt if most of it is new.
 */
export function changedWords(before, prompt) {
  const [old, words] = [before.split(/\s+/), prompt.split(/\s+/)];
  const kept = commonWords(old, words);
  const changed = words.map((_, index) => !kept.has(index));
  if (!before || kept.size <= words.length * (1 - MOST_CHANGED)) return [{ text: prompt, changed: false }];
  if (!changed.includes(true)) return [{ text: `now only ${prompt}`, changed: false }]; // words were left out
  return pieces(words, changed);
}

/** Indices of the words of `words` that `old` has too, in this order: the longest common subsequence. */
function commonWords(old, words) {
  const lengths = Array.from({ length: old.length + 1 }, () => new Array(words.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = words.length - 1; j >= 0; j--) {
      lengths[i][j] = old[i] === words[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const kept = new Set();
  for (let i = 0, j = 0; i < old.length && j < words.length; ) {
    if (old[i] === words[j]) [, j, i] = [kept.add(j), j + 1, i + 1];
    else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++;
    else j++;
  }
  return kept;
}

/** The changed words, each run of them after the word before it; where words are left out between two runs stands "…". */
function pieces(words, changed) {
  const shown = words.map((_, index) => changed[index] || changed[index + 1] === true || (index === 1 && changed[0]));
  const parts = [];
  words.forEach((word, index) => {
    if (!shown[index]) return;
    if (index > 0 && !shown[index - 1] && parts.length) parts.push({ text: "…", changed: false });
    const last = parts.at(-1);
    if (last && last.changed === changed[index] && last.text !== "…") last.text += ` ${word}`;
    else parts.push({ text: word, changed: changed[index] });
  });
  return parts;
}
