// Owns: a real headless Chromium from npm packages alone: where its files go, how it starts, and that it is gone afterwards.
// Does not: know what is shown in it.

import packed, { inflate } from "@sparticuz/chromium";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";

const PACKAGE = "@sparticuz/chromium";

/** Why there is no browser on this machine (a text), or false. npm has a Chromium that runs by itself for Linux on x64 only. */
export const noBrowser =
  process.platform === "linux" && process.arch === "x64" ? false : `the Chromium in npm's ${PACKAGE} is for linux-x64, and this is ${process.platform}-${process.arch}`;

/** Starts the browser, sandboxes and same-origin policy on. `stop` it in `after`. */
export async function startBrowser() {
  const dir = mkdtempSync(join(tmpdir(), "gastown-browser-"));
  try {
    const executablePath = await unpack(dir);
    const browser = await chromium.launch({
      executablePath,
      // The operating system's sandbox needs rights that CI does not have. Sandboxed frames do not depend on it.
      args: ["--no-sandbox", "--disable-gpu"],
      env: {
        ...process.env,
        HOME: dir,
        FONTCONFIG_FILE: fontsFile(dir),
        // Debian has the libraries that Chromium links to only when somebody installed them; the package brings them along.
        LD_LIBRARY_PATH: join(dir, "al2023", "lib"),
      },
    });
    return {
      browser,
      async stop() {
        await browser.close();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Unpacks the browser into `dir` and gives the path of the executable. The package unpacks to the folder for temporary files
 * and believes what it finds there, which may be half a browser or somebody else's; so it is given a folder of its own.
 */
async function unpack(/** @type {string} */ dir) {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = dir;
  try {
    packed.setGraphicsMode = false;
    const executablePath = await packed.executablePath();
    await inflate(join(packageDir(), "bin", "al2023.tar.br"));
    return executablePath;
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

/** The package's fonts, so that text has the same size on every machine; its own configuration has other folders than `dir`. */
function fontsFile(/** @type {string} */ dir) {
  const file = join(dir, "fonts.conf");
  writeFileSync(file, `<?xml version="1.0"?><fontconfig><dir>${join(dir, "fonts")}</dir><cachedir>${join(dir, "fonts-cache")}</cachedir></fontconfig>`);
  return file;
}

/** The package exports no path to its files: they are beside the module that it exports. */
function packageDir() {
  let dir = dirname(createRequire(import.meta.url).resolve(PACKAGE));
  while (!existsSync(join(dir, "bin"))) dir = dirname(dir);
  return dir;
}
