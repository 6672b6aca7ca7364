// Owns: decisions that are the same for the same seed.
// Does not: know what is decided.

/** A generator of numbers in [0, 1) (mulberry32); the same seed gives the same numbers. */
export function random(/** @type {number} */ seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The list in another order.
 * @template T
 * @param {readonly T[]} list
 * @param {() => number} next
 */
export function shuffled(list, next) {
  const copy = [...list];
  for (let index = copy.length - 1; index > 0; index--) {
    const other = Math.floor(next() * (index + 1));
    [copy[index], copy[other]] = [copy[other], copy[index]];
  }
  return copy;
}

/** A number for a text, for seeds of their own. */
export const seedOf = (/** @type {string} */ text) => Array.from(text).reduce((hash, letter) => Math.imul(hash ^ Number(letter.codePointAt(0)), 16_777_619) >>> 0, 2_166_136_261);
