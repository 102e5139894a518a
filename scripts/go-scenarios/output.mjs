// Lines of results, written as Go's encoding/json writes them: keys in order, and no character that
// HTML would take for its own.

const ESCAPED = /[<>&\u2028\u2029]/g;

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}

export function json(value) {
  const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(sorted(value)).replace(ESCAPED, escaped);
}

/** What a line of results differs in from the expected one; null for nothing. */
export function difference(wanted, got) {
  if (wanted === undefined) return 'no result is expected';
  if (wanted.length !== got.length) return `${got.length} results, want ${wanted.length}`;
  for (const [i, result] of got.entries()) {
    const [want, have] = [json(wanted[i]), json(result)];
    if (want !== have) return `step ${i}:\n  want ${want}\n  got  ${have}`;
  }
  return null;
}
