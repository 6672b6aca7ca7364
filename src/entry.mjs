// Lets the Rust objects answer RPC. Owns no logic: which methods exist comes from the table in src/rpc/table.rs.
//
// The classes that workers-rs exports do not extend DurableObject, so workerd would refuse RPC to them; and wasm-bindgen
// leaves free() on the prototype, which a caller could use to destroy the object.
// @ts-check
import { DurableObject } from "cloudflare:workers";
// @ts-ignore There is no build on a fresh checkout, and once there is one it has no types.
import worker, * as built from "../build/index.js";

const REFUSED = "!";
const BROKE = "?";

/** Reads a reply text: JSON, nothing, a refusal or the incident id of a fault (see src/rpc/call.rs). */
function read(/** @type {string} */ reply) {
  if (reply === "") return undefined;
  if (reply.startsWith(REFUSED)) throw new Error(JSON.parse(reply.slice(1)).message);
  if (reply.startsWith(BROKE)) throw new Error(`Internal error (incident ${reply.slice(1)})`);
  return JSON.parse(reply);
}

/** Makes a class a Durable Object whose RPC methods are the table's, plus `call`, fetch and alarm. */
function durable(/** @type {any} */ Class) {
  Object.setPrototypeOf(Class, DurableObject);
  Object.setPrototypeOf(Class.prototype, DurableObject.prototype);
  for (const key of ["free", "__destroy_into_raw", Symbol.dispose]) delete Class.prototype[key];
  for (const [name, arity] of JSON.parse(Class.methods())) {
    Class.prototype[name] = async function (/** @type {unknown[]} */ ...args) {
      const declared = Array.from({ length: arity }, (_, index) => args[index] ?? null);
      return read(await this.call(name, JSON.stringify(declared), JSON.stringify(args[arity] ?? null)));
    };
  }
  return Class;
}

export const RigDO = durable(built.RigDO);
export const TownDO = durable(built.TownDO);
export const GastownUserDO = durable(built.GastownUserDO);
export const GastownOrgDO = durable(built.GastownOrgDO);
export const SessionDO = durable(built.SessionDO);
export default worker;
