import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { chromium, type Page } from "playwright-core";
import sirv from "sirv";
import { PAUSED, PAUSED_AND_KEPT } from "../../web-demo/training/said.js";
import { executablePath } from "../helpers/chromium.js";
import { startCli } from "../helpers/cli.js";
import { freePort } from "../helpers/ports.js";

export { executablePath };

/** What the page says when a training is paused, and kept if that is possible. */
export const pausedText = new RegExp(`^(${PAUSED}|${PAUSED_AND_KEPT})$`);

const quiet = ["disable-background-networking", "disable-component-update", "disable-sync", "disable-quic"];
/**
 * The address bar's popups are pages of their own: a second of computing in every context. The other names are
 * Playwright's, whose flag this one replaces: they keep the network and the storage quiet.
 */
const features = [
  ...["WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"],
  ...["AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "PaintHolding", "LensOverlay"],
  ...["HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "ThirdPartyStoragePartitioning", "MediaRouter"],
  ...["AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"],
  "PreconnectToSearch",
];
const flags = ["no-sandbox", "no-first-run", ...quiet, `disable-features=${features}`];
/** SwiftShader, a GPU in software. */
const software = ["enable-unsafe-webgpu", "use-webgpu-adapter=swiftshader", "enable-features=Vulkan"];

/** Chromium, with a fresh profile; with a GPU if that is asked for, or without one. */
export function launch({ gpu = false } = {}) {
  const args = [...flags, ...(gpu ? software : ["disable-gpu"])].map((flag) => `--${flag}`);
  return chromium.launch({ executablePath, args });
}

/** Somewhere that the built page is served from. */
export interface Place {
  readonly url: string;
  close(): Promise<unknown>;
}

const built = fileURLToPath(new URL("../../dist/web-demo", import.meta.url));

/**
 * A static host that knows nothing of the page: no headers of ours, and a path before it, which also answers with the page
 * without its last slash.
 */
export async function plainHost(folder = built): Promise<Place> {
  const files = sirv(folder);
  const path = "/some/where";
  const server = createServer((request, response) => {
    const { url = "" } = request;
    if (!/^[/?]|^$/.test(url.slice(path.length)) || !url.startsWith(path)) {
      return response.writeHead(404).end();
    }
    request.url = url.slice(path.length).replace(/^(?!\/)/, "/");
    files(request, response, () => {
      response.writeHead(404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}${path}/`, close };
}

/** `gan-onnx serve`, as a process. */
export async function served(...args: readonly string[]): Promise<Place> {
  const port = await freePort();
  const serving = startCli(["serve", "--port", String(port), ...args], { cwd: "." });
  await serving.says("press Ctrl-C to stop");
  const close = () => {
    serving.kill("SIGINT");
    return serving.finished;
  };
  return { url: `http://127.0.0.1:${port}/`, close };
}

/** What went wrong on a page, or left the host, from now on. */
export function watch(page: Page, host: string): string[] {
  const seen: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") seen.push(message.text());
  });
  page.on("pageerror", (error) => seen.push(`thrown: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(host) && !request.url().startsWith("blob:")) {
      seen.push(`asked for ${request.url()}`);
    }
  });
  page.on("requestfailed", (request) => {
    // A page that is left gives up what it was loading.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") seen.push(`failed: ${request.url()}`);
  });
  return seen;
}

/** What axe finds wrong with a page as it is: kind and first element of each fault. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations.map(({ id, impact, nodes }) => `${impact}: ${id}: ${nodes[0].html}`);
}

/** How much of a page has jumped since it was opened: https://web.dev/articles/cls. */
export function layoutShiftOf(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as PerformanceEntry & { value: number }).value;
        }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => resolve(sum), 100);
      }),
  );
}

/** What is on a canvas: grey values, row by row. */
export function pixelsOn(page: Page, selector: string) {
  return page.locator(selector).evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
    return { width, height, grey: Array.from({ length: width * height }, (_, i) => data[4 * i]) };
  });
}

/** Drop a file on the page. */
export async function drop(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  const base64 = Buffer.from(bytes).toString("base64");
  await page.evaluate(
    ({ name, base64 }) => {
      const dataTransfer = new DataTransfer();
      const content = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      dataTransfer.items.add(new File([content], name));
      for (const type of ["dragover", "drop"]) {
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      }
    },
    { name, base64 },
  );
}
