// Owns: taking the name section out of a wasm module.
// Does not: change code, or read anything but section headers.

import { Failure } from "./project.mjs";

const HEADER_BYTES = 8;
const CUSTOM_SECTION = 0;

/**
 * The module without its custom section "name": function names, a fifth of the gzipped size, of use only in stack
 * traces. (`strip = true` in Cargo.toml would also drop `target_features`, without which wasm-bindgen fails.)
 */
export function stripNames(/** @type {Buffer} */ module) {
  const kept = [module.subarray(0, HEADER_BYTES)];
  let at = HEADER_BYTES;
  while (at < module.length) {
    const size = leb128(module, at + 1);
    const end = size.next + size.value;
    if (end > module.length) throw new Failure("the wasm module ends in the middle of a section: build again with --force");
    if (!(module[at] === CUSTOM_SECTION && sectionName(module, size.next) === "name")) kept.push(module.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

function sectionName(/** @type {Buffer} */ module, /** @type {number} */ at) {
  const length = leb128(module, at);
  return module.toString("utf8", length.next, length.next + length.value);
}

function leb128(/** @type {Buffer} */ bytes, /** @type {number} */ at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at };
  }
}
