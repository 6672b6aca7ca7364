// Owns: the contract's methods (2.1 to 2.6), each under its name and with its arguments, over real RPC: it is there, and answers or says why not.
// Does not: test what a method does (objects.test.mjs, rig.test.mjs and the host tests).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { tokens } from "./lib/tokens.mjs";
import { startWorkerd } from "./lib/workerd.mjs";
import { context, world } from "./lib/world.mjs";

/**
 * @import { Server } from "./lib/workerd.mjs"
 * @import { Town, World } from "./lib/world.mjs"
 */

/** Section → method → its positional arguments, in the contract's order. */
const OF_TOWNS = {
  "rigs, configuration, identity": {
    setTownId: ["townId"], getTownConfig: [], updateTownConfig: ["update"], addRig: ["input"], listRigs: [], getRigAsync: ["rigId"],
    updateRigConfig: ["rigId", "config"], configureRig: ["config"], getRigConfig: ["rigId"], syncConfigToContainer: [],
    forceRefreshContainerToken: [], refreshRuntimeAuthorizationForManualRefresh: [], requiresRuntimeAuthorization: [],
    initializePrivateTownIdentity: ["identity"], initializeTownIdentityAndRuntimeAuthorization: ["identity", "controlToken"],
    getPrivateTownIdentity: [], getTownIdentityState: [], createRuntimeAuthorization: ["controlToken", "userId", "organizationId"],
    reauthorizeRuntime: ["controlToken", "userId", "organizationId"], getBillingStatus: [], setContainerRunPolicy: ["policy"],
    connectWasteland: ["input"], disconnectWasteland: ["wastelandId"], getWastelandConnection: [], stampWastelandReported: ["input"],
    healthCheck: [], getAlarmStatus: ["cached"],
  },
  beads: {
    createBead: ["input"], getBeadAsync: ["beadId"], listBeads: ["filter"], updateBeadStatus: ["beadId", "status", "agentId", "failureReason"],
    closeBead: ["beadId", "agentId"], updateBead: ["beadId", "fields", "actorId"], deleteBead: ["beadId", "rigId"], deleteBeads: ["beadIds", "rigId"],
    deleteBeadsByStatus: ["status", "type", "rigId"], listBeadEvents: ["filter"], createHeldBead: ["input"], startHeldBead: ["beadId", "rigId"],
    notifyMayorOfNewBead: ["beadId", "rigId", "title", "body"], slingBead: ["input"], slingExistingPr: ["input"], previewPr: ["input"],
  },
  convoys: {
    slingConvoy: ["input"], startConvoy: ["convoyId"], createConvoy: ["input"], listConvoys: [], listConvoysDetailed: [], getConvoyStatus: ["convoyId"],
    updateConvoy: ["convoyId", "fields"], closeConvoy: ["convoyId"], convoyAddBead: ["convoyId", "beadId", "dependsOn"],
    convoyRemoveBead: ["convoyId", "beadId"], onBeadClosed: ["input"],
  },
  "agents, mail, nudges": {
    registerAgent: ["input"], getAgentAsync: ["agentId"], getAgentByIdentity: ["identity"], listAgents: ["filter"], getOrCreateAgent: ["role", "rigId"],
    updateAgentStatus: ["agentId", "status"], deleteAgent: ["agentId"], hookBead: ["agentId", "beadId"], unhookBead: ["agentId"],
    getHookedBead: ["agentId"], resetAgent: ["agentId"], resetAgentDispatchAttempts: ["agentId", "rigId"],
    setAgentDispatchAttempts: ["agentId", "attempts", "lastActivityAt"], prime: ["agentId"], writeCheckpoint: ["agentId", "data"],
    readCheckpoint: ["agentId"], writeBeadEvictionContext: ["agentId", "context"], touchAgentHeartbeat: ["agentId", "watermark"],
    updateAgentStatusMessage: ["agentId", "message"], appendAgentEvent: ["agentId", "eventType", "data"],
    getAgentEvents: ["agentId", "afterId", "limit"], reconstructConversation: ["agentId"], sendMail: ["input"], checkMail: ["agentId"],
    queueNudge: ["agentId", "message", "options"], getPendingNudges: ["agentId"], markNudgeDelivered: ["nudgeId"], expireStaleNudges: [],
    agentDone: ["agentId", "input"], agentCompleted: ["agentId", "input"], requestChanges: ["agentId", "input"],
  },
  "the Mayor and drains": {
    sendMayorMessage: ["message", "model", "uiContext", "actorUserId"], ensureMayor: ["actorUserId"], getMayorStatus: [], getMayorAgentId: [],
    getMayorPrewarmContext: [], updateMayorModel: ["model", "smallModel"], updateMayorSystemPrompt: [], setDashboardContext: ["xml"],
    getDashboardContext: [], broadcastUiAction: ["action"], mayorWaiting: ["agentId", "firedAt"], recordContainerEviction: [],
    acknowledgeContainerReady: ["nonce"], isDraining: [], getDrainNonce: [], getDrainStartedAt: [],
  },
  "reviews, escalations, triage, molecules, debugging": {
    submitToReviewQueue: ["input"], completeReviewWithResult: ["input"], getMergeQueueData: ["input"], listEscalations: ["filter"],
    acknowledgeEscalation: ["escalationId"], routeEscalation: ["input"], resolveTriage: ["input"], createMolecule: ["beadId", "formula"],
    getMoleculeCurrentStep: ["agentId"], advanceMoleculeStep: ["agentId", "summary"], debugReplayEvents: ["from", "to"], debugDryRun: [],
    debugListWastelandBeads: [], debugBeadSummary: [], debugPendingNudges: [], debugGetBead: ["id"], debugAgentMetadata: [],
    debugTownEvents: [], debugInsertTownEvent: [], debugRecordContainerStatus: [],
  },
  // Last: what they take away is needed before. Embedded towns add `force` to both.
  "the end": { removeRig: ["rigId", "force"], destroy: ["force"] },
};
const OF_OWNERS = {
  createTown: ["input"], getTownAsync: ["townId"], listTowns: [], createRig: ["input"], getRigAsync: ["rigId"], listRigs: ["townId"],
  deleteRig: ["rigId"], deleteTown: ["townId"], ping: [],
};
/** What embedded towns answer with their reason. */
const UNSUPPORTED = /^"(\w+)" is not supported by embedded towns: \S/;
/** Kilo's calls to objects that embedded towns do not have: agents are the rig's, and there is no container. */
const NO_OBJECTS = ["AgentDO", "AgentIdentityDO", "TownContainerDO"];

let /** @type {Server} */ server, /** @type {World} */ on, /** @type {Town} */ town, /** @type {Record<string, [binding: string, name: string]>} */ names;
before(async () => {
  server = await startWorkerd();
  on = world(server);
  town = await on.createFleetTown(["web"]);
  names = { TownDO: ["TOWN", town.id], RigDO: ["RIG", town.rigs.web], GastownUserDO: ["GASTOWN_USER", "owner"], GastownOrgDO: ["GASTOWN_ORG", "acme"] };
  // Work under way: what would take everything away is refused.
  await on.sling(town.rigs.web, "keeps the town");
});
after(() => server.stop());

const member = () => context(tokens.user("owner", { orgMemberships: [{ orgId: "acme", role: "owner" }] }));
const table = async (className) => new Map(await on.harness("/__table", { className }));

/** The method is on one of the classes, with the contract's number of arguments, and answers there. */
async function answers(classes, name, params) {
  const found = [];
  for (const className of classes) {
    const arity = (await table(className)).get(name);
    if (arity !== undefined) found.push([className, arity]);
  }
  assert.ok(found.length > 0, `no object has ${name}`);
  for (const [className, arity] of found) {
    assert.equal(arity, params.length, `${className}.${name}(${params.join(", ")})`);
    const { error, name: kind } = await on.rpc(...names[className], name, ...Array(arity).fill(null), member());
    assert.notEqual(kind, "TypeError", `${className}.${name}: ${error}`);
    assert.doesNotMatch(error ?? "", /does not implement|^Internal error/, `${className}.${name}`);
    const [, said] = UNSUPPORTED.exec(error ?? "") ?? [];
    if (said) assert.equal(said, name);
  }
}

for (const [section, methods] of Object.entries(OF_TOWNS)) {
  describe(`towns and rigs: ${section}`, () => {
    for (const [name, params] of Object.entries(methods)) test(name, () => answers(["TownDO", "RigDO"], name, params));
  });
}

for (const className of ["GastownUserDO", "GastownOrgDO"]) {
  describe(className, () => {
    for (const [name, params] of Object.entries(OF_OWNERS)) test(name, () => answers([className], name, params));
  });
}

describe("what is different here", () => {
  test("methods that look at things that are not here say so by their name", async () => {
    for (const name of ["syncConfigToContainer", "setContainerRunPolicy", "debugDryRun"]) {
      const params = Object.assign({}, ...Object.values(OF_TOWNS))[name];
      const { error } = await on.rpc(...names.TownDO, name, ...params.map(() => null), member());
      assert.equal(UNSUPPORTED.exec(error)?.[1], name, error);
    }
  });

  test("questions that have an honest answer have one", async () => {
    const ask = async (name) => (await on.rpc(...names.TownDO, name, member())).ok;
    assert.equal(await ask("requiresRuntimeAuthorization"), false);
    assert.deepEqual([(await ask("getBillingStatus")).enabled, (await ask("getBillingStatus")).state], [false, "idle"]);
    assert.equal((await ask("getPrivateTownIdentity")).ownerUserId, "owner");
    assert.equal((await ask("healthCheck")).townId, town.id);
    assert.equal((await on.rpc("GASTOWN_USER", "owner", "ping", member())).ok, "pong");
  });

  test("there is no object for agents or containers", async () => {
    for (const { className } of (await import("./lib/project.mjs")).deployment().objects) assert.ok(!NO_OBJECTS.includes(className));
  });
});
