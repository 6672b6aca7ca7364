// Owns: what the tests on workerd add to the Worker: a direct way to call objects, and objects that hang or lose replies on demand, and a look at what they are asked and told.
// Does not: change the Worker. Everything it does not own goes to src/entry.mjs as it is.
// @ts-check

import worker, * as entry from "../../src/entry.mjs";

/** Names of objects whose `call` does not answer. One isolate serves all objects here, so a plain set reaches them. */
const hanging = new Set();
/** `<name> <method>` of calls that are carried out, but whose reply never comes. */
const mute = new Set();
const HANG_MS = 60_000;
/** Asks an object what its storage holds; no method of the product. */
const LEFT = "__left";
/**
 * The arguments of every call that a rig, a town or a session took, as `[name, method, text]`.
 * @type {[string | undefined, string, string][]}
 */
const heard = [];

/** How often an object of each name was made: each time it came into memory. */
const made = new Map();

/** The class, whose instances hang while their name is in the set. The prototype is the product's own. */
function hangable(/** @type {any} */ Class) {
  return new Proxy(Class, {
    construct(target, /** @type {[DurableObjectState, unknown]} */ [state, env]) {
      made.set(state.id.name, (made.get(state.id.name) ?? 0) + 1);
      const object = Reflect.construct(target, [state, env], target);
      return new Proxy(object, {
        get(inner, key) {
          const value = Reflect.get(inner, key, inner);
          if (key !== "call") return typeof value === "function" ? value.bind(inner) : value;
          return async (/** @type {[method: string, args: string, context: string]} */ ...args) => {
            if (args[0] === LEFT) return left(state.storage);
            heard.push([state.id.name, args[0], args[1]]);
            for (const until = Date.now() + HANG_MS; hanging.has(state.id.name) && Date.now() < until; ) await scheduler.wait(20);
            const reply = await value.apply(inner, args);
            if (mute.has(`${state.id.name} ${args[0]}`)) await scheduler.wait(HANG_MS);
            return reply;
          };
        },
      });
    },
  });
}

/** Tables and alarm of an object, besides the runtime's own tables. */
async function left(/** @type {DurableObjectStorage} */ storage) {
  const tables = [.../** @type {SqlStorageCursor<{ name: string }>} */ (storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY name"))];
  return JSON.stringify({ tables: tables.map(({ name }) => name).filter((name) => !name.startsWith("_cf")), alarm: await storage.getAlarm() });
}

export const RigDO = hangable(entry.RigDO);
export const TownDO = hangable(entry.TownDO);
export const { GastownUserDO, GastownOrgDO } = entry;
export const SessionDO = hangable(entry.SessionDO);

/** The product's classes by name. */
const classes = /** @type {Record<string, any>} */ (entry);

/**
 * What tests may ask, by path: each is given the request's body.
 * @type {Record<string, (body: any, env: Record<string, any>) => Promise<unknown>>}
 */
const routes = {
  /** Calls any method of any object, as a Worker with the binding could. */
  async "/__rpc"({ binding, name, method, args }, env) {
    try {
      const answer = await env[binding].getByName(name)[method](...args.map((/** @type {any} */ arg) => (arg?.__undefined ? undefined : arg)));
      return { ok: answer === undefined ? null : answer, kind: answer === null ? "null" : typeof answer };
    } catch (error) {
      return { error: error.message, name: error.name, remote: error.remote === true };
    }
  },

  /** The status of a fetch straight to an object. */
  async "/__fetch"({ binding, name }, env) {
    return (await env[binding].getByName(name).fetch("http://object/")).status;
  },

  /** What a class offers to RPC: every key of its prototypes below DurableObject. */
  async "/__surface"({ className }) {
    const keys = [];
    for (let level = classes[className].prototype; level?.constructor?.name !== "DurableObject" && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
      keys.push(...Reflect.ownKeys(level).map(String));
    }
    return keys;
  },

  /** The rows of the table for a class: [name, number of parameters]. */
  async "/__table"({ className }) {
    return JSON.parse(classes[className].methods());
  },

  /** Which objects hang from now on. */
  async "/__hang"({ names }) {
    hanging.clear();
    for (const name of names) hanging.add(name);
    return null;
  },

  /** The letters that a session object was brought, in the order of arrival. */
  async "/__heard"({ name }) {
    return heard.filter(([to, method]) => to === name && method === "deliver").flatMap(([, , args]) => JSON.parse(args)[0]);
  },

  /** The methods that were called of an object, in order. */
  async "/__called"({ name }) {
    return heard.filter(([to]) => to === name).map(([, method]) => method);
  },

  /** What is left of a rig, a town or a session: {tables, alarm}. */
  async "/__left"({ binding, name }, env) {
    return JSON.parse(await env[binding].getByName(name).call(LEFT, "", ""));
  },

  /** How often an object came into memory. */
  async "/__made"({ name }) {
    return made.get(name) ?? 0;
  },

  /** Which calls lose their reply from now on. */
  async "/__mute"({ name, method }) {
    mute.add(`${name} ${method}`);
    return null;
  },
};

export default {
  async fetch(/** @type {Request} */ request, /** @type {Record<string, any>} */ env, /** @type {ExecutionContext} */ ctx) {
    const route = routes[new URL(request.url).pathname];
    if (route) return Response.json(await route(await request.json(), env));
    const product = new worker(ctx, env);
    return product.fetch(request);
  },
};
