import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import type { ViteDevServer } from "vite";
import { messageOf } from "../../src/error.js";

/** `bench/`: what only it needs is installed there. */
const here = fileURLToPath(new URL("../", import.meta.url));

/** One Chromium for all who compute in a page, each in a page of its own, beside a server of their files. */
export class Chromium {
  private users = 0;
  private opened: Promise<{ server: ViteDevServer; browser: Browser }> | undefined;

  /** @param folder of the case, whose files lie at the root of the server. */
  constructor(private readonly folder: string) {}

  /**
   * A page of `bench/page/`.
   *
   * @param cores how many the page believes that there are: libraries take their number of threads from it.
   */
  async open(path: string, cores: number): Promise<{ page: Page; close(): Promise<void> }> {
    this.users += 1;
    this.opened ??= this.start();
    const close = async () => {
      this.users -= 1;
      const all = await this.opened;
      if (this.users > 0) return;
      this.opened = undefined;
      await all?.browser.close();
      await all?.server.close();
    };
    try {
      const { server, browser } = await this.opened;
      const page = await browser.newPage();
      await page.addInitScript(
        `Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { value: ${cores} })`,
      );
      await page.goto(`${server.resolvedUrls?.local[0]}page/${path}`);
      return { page, close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  private async start() {
    const found = spawnSync("sh", ["-c", "command -v chromium || command -v google-chrome"], {
      encoding: "utf8",
    });
    const executablePath = found.stdout.trim();
    if (!executablePath) throw new Error("it needs chromium, which is not here");
    const { chromium } = await import("playwright-core");
    const server = await serve(this.folder);
    try {
      const browser = await chromium.launch({
        executablePath,
        args: ["--no-sandbox", "--enable-unsafe-webgpu", "--enable-features=Vulkan", ...software()],
      });
      return { server, browser };
    } catch (error) {
      await server.close();
      throw error;
    }
  }
}

/** Call a function of a page; throws what it throws, without the way that it took. */
export async function call<T>(page: Page, name: string, ...values: readonly unknown[]): Promise<T> {
  try {
    return (await page.evaluate(`${name}(...${JSON.stringify(values)})`)) as T;
  } catch (error) {
    throw new Error(messageOf(error).replace(/^page\.evaluate: Error: /, ""), { cause: error });
  }
}

/** Where there is no GPU, the variable that shows Vulkan a driver in software asks Chromium for its own one. */
function software(): string[] {
  return process.env.VK_ICD_FILENAMES?.includes("swiftshader") ? ["--use-webgpu-adapter=swiftshader"] : [];
}

/** The pages, the case's folder beside them. The two headers let pages use threads. */
async function serve(folder: string): Promise<ViteDevServer> {
  const { createServer } = await import("vite");
  const tfjs = ["core", "backend-wasm", "backend-webgpu", "core/dist/register_all_gradients"];
  const server = await createServer({
    configFile: false,
    logLevel: "error",
    root: here,
    publicDir: folder,
    optimizeDeps: {
      include: [...tfjs.map((name) => `@tensorflow/tfjs-${name}`), "@jax-js/jax"],
      exclude: ["onnxruntime-web"],
    },
    worker: { format: "es" },
    server: {
      host: "127.0.0.1",
      port: 0, // Any free one.
      hmr: false,
      fs: { allow: [".."] },
      headers: {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      },
    },
  });
  return server.listen();
}
