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
 * TensorFlow.js in Chromium, on its wasm or its webgpu backend: only there it has threads and a GPU. It is the slowest
 * by far, so it makes few steps a round.
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
    // Its wasm backend takes half the cores for real ones, whatever it is asked for; it shall have as many as others.
    await page.addInitScript(
      `Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { value: ${2 * threads} })`,
    );
    await page.goto(`${host.url}tfjs/page.html`);
    const asked = [`/${basename(casePath)}`, backend, threads];
    const { version, how }: { version: string; how: string } = await page.evaluate(
      `open(...${JSON.stringify(asked)})`,
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

/** Throw what a page threw, without the way that it took. */
function inPage(error: unknown): never {
  throw new Error(messageOf(error).replace(/^page\.evaluate: Error: /, ""), { cause: error });
}

/** Where there is no GPU, the variable that shows Vulkan a driver in software asks Chromium for its own one. */
function software(): string[] {
  return process.env.VK_ICD_FILENAMES?.includes("swiftshader") ? ["--use-webgpu-adapter=swiftshader"] : [];
}

/** The page, the case's folder beside it. The two headers let pages use threads. */
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
      port: 0, // Any free one.
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
