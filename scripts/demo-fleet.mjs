// Owns: what the demo fleet consists of: plain data, a payments feature on its way through four towns.
// Does not: talk to anything (seed.mjs does).

export const DEMO_USER = "demo-user";

const git = (/** @type {string} */ name) => `https://git.example.com/acme/${name}.git`;

/**
 * `depends_on` counts a convoy's tasks from 0. Within a rig every title is unique: seeding recognises beads by it.
 * @typedef {{ title: string, body: string, depends_on?: number[] }} Task
 * @typedef {{ convoy_title: string, staged: boolean, tasks: Task[] }} Convoy
 * @type {{ name: string, rigs: { name: string, git_url: string, beads: Task[], convoy?: Convoy }[] }[]}
 */
export const DEMO_FLEET = [
  {
    name: "frontend",
    rigs: [
      {
        name: "web",
        git_url: git("web"),
        beads: [
          { title: "Fix focus order in the cart drawer", body: "Tab must go from the quantity field to the remove button, then to checkout." },
          { title: "Upgrade the router to the current major version", body: "Follow the migration guide; keep deep links to orders working." },
        ],
        convoy: {
          convoy_title: "Payments checkout",
          staged: true,
          tasks: [
            { title: "Checkout: payment form with card, wallet and invoice", body: "Fields come from GET /payments/methods. Validate before submit." },
            { title: "Checkout: call the Payments API with an idempotency key", body: "One key per attempt; a retry after a timeout must not charge twice.", depends_on: [0] },
            { title: "Checkout: show pending, paid and refused", body: "Poll the intent until it is final; say what to do when it was refused.", depends_on: [1] },
            { title: "Checkout: end-to-end test of the happy and the refused path", body: "Against the sandbox, in CI.", depends_on: [2] },
          ],
        },
      },
    ],
  },
  {
    name: "backend",
    rigs: [
      {
        name: "api",
        git_url: git("api"),
        beads: [
          { title: "Answer 429 with Retry-After on the search routes", body: "The limit is 60 requests per minute and key." },
          { title: "Log the request id in every error answer", body: "Support needs it to find the trace." },
        ],
        convoy: {
          convoy_title: "Payments API",
          staged: false,
          tasks: [
            { title: "Payments: schema for intents, charges and refunds", body: "Amounts in minor units with a currency; one unique key per attempt." },
            { title: "Payments: POST /payments/intents", body: "Idempotent by key; answers the existing intent on a repeat.", depends_on: [0] },
            { title: "Payments: provider webhook with signature check", body: "Refuse unsigned and repeated events; order does not matter.", depends_on: [0] },
            { title: "Payments: refunds, whole and in part", body: "Never more than was charged.", depends_on: [1, 2] },
            { title: "Payments: OpenAPI document and contract tests", body: "Frontend and mobile generate their clients from it.", depends_on: [1, 3] },
          ],
        },
      },
      {
        name: "ledger",
        git_url: git("ledger"),
        beads: [{ title: "Book settled charges every night", body: "Double entry; a second run for the same day changes nothing." }],
      },
    ],
  },
  {
    name: "infra",
    rigs: [
      {
        name: "platform",
        git_url: git("platform"),
        beads: [
          { title: "Secrets for the payment provider in staging and production", body: "Separate keys, rotation every 90 days, no key in CI logs." },
          { title: "Alert when webhook delivery lags more than five minutes", body: "Page only in business hours until the launch." },
          { title: "Raise the database's connection limit for the API", body: "Measure before and after; note the numbers in the runbook." },
        ],
      },
    ],
  },
  {
    name: "mobile",
    rigs: [
      {
        name: "app",
        git_url: git("app"),
        beads: [
          { title: "Crash on rotating the order screen", body: "Seen on Android 15: the adapter outlives the view." },
          { title: "Wallet button on the payment screen", body: "Behind the flag payments-wallet until the API is live." },
        ],
      },
    ],
  },
];
