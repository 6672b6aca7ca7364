// Owns: the official conformance suite in `npm test`: every check of every set passes, scored or not.
// Does not: test the product's tools; the suite's fixture takes their place.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { judge, runSet, SETS, startFixture } from "../conformance/suite.mjs";

describe("the official suite", () => {
  const servers = {};
  // Each set has a server of its own: what one leaves behind is no matter for the next.
  before(async () => {
    for (const name of Object.keys(SETS)) servers[name] = await startFixture();
  });
  after(() => Promise.all(Object.values(servers).map((server) => server.stop())));

  for (const name of Object.keys(SETS)) {
    test(`passes ${name}`, async (t) => {
      const { failures, report } = await runSet(name, `${servers[name].url}/mcp`);
      t.diagnostic(report);
      assert.ok(failures.length === 0, `${failures.length} failures:\n${failures.join("\n")}`);
    });
  }
});

describe("the verdict on a set", () => {
  const check = (status, id = "one") => ({ id, status, description: "what is checked", errorMessage: status === "SUCCESS" ? undefined : "what was seen" });
  const verdict = (checks, known = {}) => judge("set", [{ scenario: "s", checks }], known).failures;

  test("is a failure for a failed check, and for a scenario without a result", () => {
    assert.deepEqual(verdict([check("SUCCESS"), check("FAILURE", "two")]), ["s:two — what was seen"]);
    assert.match(verdict(undefined)[0], /^s:no-result — the suite wrote no result/);
    assert.deepEqual(verdict([check("SUCCESS"), check("INFO", "two"), check("SKIPPED", "three")]), []);
  });

  test("is a failure for a warning that is not listed, and for a listed one that is gone", () => {
    const warned = [check("SUCCESS"), check("WARNING", "two")];
    assert.match(verdict(warned)[0], /^s:two — warning without a reason/);
    assert.deepEqual(verdict(warned, { "s:two": "because" }), []);
    assert.match(verdict([check("SUCCESS")], { "s:two": "because" })[0], /^s:two — is in warnings.json and no longer occurs/);
  });

  test("takes a scenario that checked nothing of its own for a warning", () => {
    const idle = [check("SKIPPED"), check("SUCCESS", "wire-schema-valid")];
    assert.match(verdict(idle)[0], /^s:skipped — warning without a reason/);
    assert.deepEqual(verdict(idle, { "s:skipped": "because" }), []);
  });
});
