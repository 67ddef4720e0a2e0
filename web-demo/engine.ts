import type { Generator } from "../src/export/description.js";
import type { Tensors } from "../src/tensors/tensor.js";
import { workerFailure } from "./dom.js";
import type { Reply, Request } from "./engine-worker.js";
import type { PageProvider } from "./page-provider.js";

/** Owns the worker in which ONNX Runtime draws, so that the page stays responsive. */
export class Engine {
  private readonly worker = new Worker(new URL("./engine-worker.ts", import.meta.url), { type: "module" });
  private readonly waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = [];
  private failed: Error | undefined;

  constructor() {
    this.worker.addEventListener("message", ({ data }: MessageEvent<Reply>) =>
      this.waiting.shift()?.resolve(data),
    );
    this.worker.addEventListener("error", (event) => {
      this.failed = new Error(workerFailure(event));
      for (const { reject } of this.waiting.splice(0)) reject(this.failed);
    });
  }

  /** Open a model that can be run; it is known by the number returned until it is closed. */
  async open(bytes: Uint8Array, generator: Generator, provider: PageProvider): Promise<number> {
    return (await this.ask({ kind: "open", bytes, generator, provider })) as number;
  }

  async close(model: number): Promise<void> {
    await this.ask({ kind: "close", model });
  }

  /** Images [batch, channels, height, width] for latents and labels. */
  async run(model: number, feeds: Tensors): Promise<Float32Array> {
    return (await this.ask({ kind: "run", model, feeds })) as Float32Array;
  }

  /** Directions of a model's latent space in which its pictures change much. */
  async directions(model: number, count: number): Promise<Float32Array[]> {
    return (await this.ask({ kind: "directions", model, count })) as Float32Array[];
  }

  private async ask(request: Request) {
    const reply = await new Promise<Reply>((resolve, reject) => {
      if (this.failed) {
        reject(this.failed);
        return;
      }
      this.waiting.push({ resolve, reject });
      this.worker.postMessage(request);
    });
    if ("error" in reply) throw new Error(reply.error);
    return reply.result;
  }
}
