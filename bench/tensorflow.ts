import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../src/error.js";
import type { Contestant, Entrant } from "./contestant.js";
import type { Options } from "./options.js";
import { CHECKED } from "./step-case.js";

const here = fileURLToPath(new URL(".", import.meta.url));

/**
 * TensorFlow.js in Chromium, with its wasm or webgpu backend: only there it has threads and a GPU. It is by far the
 * slowest, so it runs few steps per round.
 */
export function tensorflow(casePath: string, { ep, threads }: Options): Entrant {
  const backend = ep === "webgpu" ? "webgpu" : "wasm";
  return {
    name: `TensorFlow.js ${backend}`,
    async open() {
      if (!existsSync(new URL("node_modules/@tensorflow", import.meta.url))) {
        throw new Error("npm --prefix bench ci installs it");
      }
      return openPage(casePath, backend, threads);
    },
  };
}

async function openPage(casePath: string, backend: string, threads: number): Promise<Contestant> {
  const found = spawnSync("sh", ["-c", "command -v chromium || command -v google-chrome"], {
    encoding: "utf8",
  });
  const executablePath = found.stdout.trim();
  if (!executablePath) throw new Error("it needs chromium, which is not here");

  const { chromium } = await import("playwright-core");
  const host = await serve(dirname(casePath));
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--enable-features=Vulkan", ...software()],
  });
  const close = async () => {
    await browser.close();
    await host.close();
  };
  try {
    const page = await browser.newPage();
    // Its wasm backend always uses half of the logical cores. Report twice as many, so that it uses as many as the
    // others.
    await page.addInitScript(
      `Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { value: ${2 * threads} })`,
    );
    await page.goto(`${host.url}tfjs/page.html`);
    const parameters = [`/${basename(casePath)}`, backend, threads];
    const { version, how }: { version: string; how: string } = await page.evaluate(
      `open(...${JSON.stringify(parameters)})`,
    );
    return {
      name: `TensorFlow.js ${version} ${how}`,
      async round() {
        const made = page.evaluate<{ ms: number; metrics: Record<string, number[]> }>(`round(${CHECKED})`);
        const { ms, metrics } = await made.catch(inPage);
        return { cost: ms, metrics };
      },
      close,
    };
  } catch (error) {
    await close();
    return inPage(error);
  }
}

/** Throw an error of the page without Playwright's prefix. */
function inPage(error: unknown): never {
  throw new Error(messageOf(error).replace(/^page\.evaluate: Error: /, ""), { cause: error });
}

/** If Vulkan uses a software driver because there is no GPU, let Chromium use its own software driver. */
function software(): string[] {
  return process.env.VK_ICD_FILENAMES?.includes("swiftshader") ? ["--use-webgpu-adapter=swiftshader"] : [];
}

/** Serve the page and the case's folder. The two headers allow threads. */
async function serve(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const { createServer } = await import("vite");
  const packages = ["core", "backend-wasm", "backend-webgpu", "core/dist/register_all_gradients"];
  const server = await createServer({
    configFile: false,
    logLevel: "error",
    root: here,
    publicDir: folder,
    optimizeDeps: { include: packages.map((name) => `@tensorflow/tfjs-${name}`) },
    server: {
      host: "127.0.0.1",
      port: 0, // Any free port.
      hmr: false,
      headers: {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      },
    },
  });
  await server.listen();
  return { url: server.resolvedUrls?.local[0] ?? "", close: () => server.close() };
}
