// Owns: the page of an MCP Apps host, in the browser: a sandboxed frame with the view, behind the official bridge.
// Does not: talk to the Worker: `callTool` is the test's (exposed to the page), and so is what the host sends.

import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

/** What the host has seen of the view. */
const seen = { initialized: 0, sizes: [], app: undefined };

/** Shows the view: `html` in a frame that may run scripts and nothing else. Gives when the view has said that it is initialized. */
async function show({ html, hostContext, serverTools = true }) {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.style = "width: 100%; height: 100px; border: 0; display: block";
  document.body.append(frame);
  const bridge = new AppBridge(null, { name: "test host", version: "1" }, serverTools ? { serverTools: {} } : {}, { hostContext });
  const ready = new Promise((resolve) => {
    bridge.oninitialized = () => {
      seen.initialized += 1;
      resolve();
    };
  });
  bridge.onsizechange = (size) => {
    seen.sizes.push(size);
    frame.style.height = `${size.height}px`;
  };
  bridge.oncalltool = (params) => window.callTool(params);
  // The bridge listens before the view speaks.
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html;
  await ready;
  seen.app = bridge.getAppVersion();
  window.host.bridge = bridge;
}

window.host = { show, seen };
