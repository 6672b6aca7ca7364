// Owns: the page of an MCP Apps host, in the browser: a sandboxed frame with the view, behind the official bridge.
// Does not: talk to the Worker: `callTool` is the test's (exposed to the page), and so is what the host sends.

import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

/**
 * What the page offers to the test, and the test to the page.
 * @typedef {Window & { host: { show: typeof show, seen: typeof seen, bridge?: AppBridge }, callTool: (params: object) => Promise<any> }} HostWindow
 */
const page = /** @type {HostWindow} */ (/** @type {unknown} */ (window));

/** What the host has seen of the view. */
const seen = {
  initialized: 0,
  sizes: /** @type {{ width?: number, height?: number }[]} */ ([]),
  app: /** @type {ReturnType<AppBridge["getAppVersion"]>} */ (undefined),
};

/**
 * Shows the view: `html` in a frame that may run scripts and nothing else. Gives when the view has said that it is initialized.
 * @param {{ html: string, hostContext?: import("@modelcontextprotocol/ext-apps/app-bridge").McpUiHostContext, serverTools?: boolean }} options
 */
async function show({ html, hostContext, serverTools = true }) {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.style = "width: 100%; height: 100px; border: 0; display: block";
  document.body.append(frame);
  const bridge = new AppBridge(null, { name: "test host", version: "1" }, serverTools ? { serverTools: {} } : {}, { hostContext });
  const ready = /** @type {Promise<void>} */ (new Promise((resolve) => {
    bridge.addEventListener("initialized", () => {
      seen.initialized += 1;
      resolve();
    });
  }));
  bridge.addEventListener("sizechange", (size) => {
    seen.sizes.push(size);
    frame.style.height = `${size.height}px`;
  });
  bridge.oncalltool = (params) => page.callTool(params);
  // The bridge listens before the view speaks.
  const view = /** @type {Window} */ (frame.contentWindow);
  await bridge.connect(new PostMessageTransport(view, view));
  frame.srcdoc = html;
  await ready;
  seen.app = bridge.getAppVersion();
  page.host.bridge = bridge;
}

page.host = { show, seen };
