import type { Tensors } from "../../src/tensors/tensor.js";
import type { PageProvider } from "../runtime/page-provider.js";
import { WorkerChannel } from "../runtime/worker-channel.js";
import type { GeneratorForm, Request, Result } from "./sampling-worker.js";

/** Owns the worker that loads generators and draws, so that the page stays responsive. */
export class GeneratorWorker {
  private readonly channel: WorkerChannel<Request, Result>;

  /**
   * @param downloaded receives the downloaded share of ONNX Runtime.
   */
  constructor(downloaded: (share: number) => void = () => {}) {
    const worker = new Worker(new URL("./sampling-worker.ts", import.meta.url), {
      type: "module",
      name: "generator",
    });
    this.channel = new WorkerChannel(worker, (share) => downloaded(share as number));
  }

  /** Load a model. Returns a number that identifies it until it is closed. */
  async open(bytes: Uint8Array, form: GeneratorForm, provider: PageProvider): Promise<number> {
    return (await this.channel.ask({ kind: "open", bytes, form, provider })) as number;
  }

  async close(model: number): Promise<void> {
    await this.channel.ask({ kind: "close", model });
  }

  /**
   * Draw images [batch, channels, height, width] from latents `z` and, if there are classes, `label`: int64 [batch], or
   * class weights, float32 [batch, classes], if the model mixes classes.
   */
  async run(model: number, feeds: Tensors): Promise<Float32Array> {
    return (await this.channel.ask({ kind: "run", model, feeds })) as Float32Array;
  }

  /** Directions of a model's latent space along which its pictures change most. */
  async directions(model: number, count: number): Promise<Float32Array[]> {
    return (await this.channel.ask({ kind: "directions", model, count })) as Float32Array[];
  }
}
