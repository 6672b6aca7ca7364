// Owns: the request scripts of tests/scripts on workerd. The host runs the same files (tests/it/scripts.rs).
// Does not: hold any request of its own.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { inRoot } from "./lib/project.mjs";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { world } from "./lib/world.mjs";

const FOLDER = inRoot("tests", "scripts");

for (const file of readdirSync(FOLDER).sort()) {
  test(`script ${file}`, async (t) => {
    // A server of its own: a script begins with an empty fleet.
    const server = await startWorkerd();
    const { http } = world(server);
    const kept = {};
    const fill = (value) => JSON.parse(Object.entries(kept).reduce((text, [name, kept]) => text.replaceAll(`\${${name}}`, kept), JSON.stringify(value)));
    try {
      for (const { step, send, expect, keep = {} } of JSON.parse(readFileSync(inRoot("tests", "scripts", file), "utf8"))) {
        await t.test(step, async () => {
          const { method, path, token, headers, body } = fill(send);
          const wanted = fill(expect);
          const answer = await http(method, path, { token: token && tokenFor(token), headers, body, leave: wanted.stream });
          assert.equal(answer.status, wanted.status, answer.text);
          for (const [name, value] of Object.entries(wanted.headers ?? {})) matches(`header ${name}`, value, answer.headers.get(name) ?? undefined);
          if ("json" in wanted) matches("body", wanted.json, answer.json);
          if ("text" in wanted) assert.ok(answer.text.includes(wanted.text), answer.text);
          for (const [name, from] of Object.entries(keep)) {
            kept[name] = from.startsWith("header:") ? answer.headers.get(from.slice(7)) : pointer(answer.json, from);
            assert.equal(typeof kept[name], "string", `nothing at ${from} in ${answer.text}`);
          }
        });
      }
    } finally {
      await server.stop();
    }
  });
}

function tokenFor(name) {
  if (name.startsWith("mayor:")) return tokens.mayor(name.slice(6));
  if (name.startsWith("raw:")) return name.slice(4);
  return name === "observer" ? tokens.observer("owner") : tokens.user(name);
}

const pointer = (value, path) => path.split("/").slice(1).reduce((value, key) => value?.[key], value);

/** Whether `found` contains `wanted`. */
function matches(at, wanted, found) {
  if (wanted === "$absent") return assert.equal(found, undefined, at);
  if (wanted === "$any") return assert.notEqual(found, undefined, at);
  if (Array.isArray(wanted)) {
    assert.ok(Array.isArray(found), `${at}: ${JSON.stringify(found)}`);
    assert.equal(found.length, wanted.length, `${at}: ${JSON.stringify(found)}`);
    return wanted.forEach((value, index) => matches(`${at}[${index}]`, value, found[index]));
  }
  if (wanted !== null && typeof wanted === "object") {
    assert.ok(found !== null && typeof found === "object", `${at}: ${JSON.stringify(found)}`);
    return Object.entries(wanted).forEach(([key, value]) => matches(`${at}.${key}`, value, found[key]));
  }
  assert.deepEqual(found, wanted, at);
}
