import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { GanOnnxError, messageOf } from "../error.js";
import type { Dataset } from "./data/dataset.js";
import type { FeederTask } from "./feeder-worker.js";
import type { Tensors } from "./safetensors.js";
import type { Feeder, PlannedRun } from "./supply.js";
import type { Training } from "./trainer.js";

// As in session.ts: compiled files only.
const workerFile = new URL("../../dist/training/feeder-worker.js", import.meta.url);

/** More would have nothing to do: four keep up with a GPU that makes a step of 2,048 images in two milliseconds. */
const MOST = 4;

/** Owns the threads that prepare batch inputs. Runs go to them in turn; all read one copy of the images. */
export class Feeders implements Feeder {
  private readonly workers: { readonly worker: Worker; readonly pending: Pending[] }[];
  private turn = 0;
  private ended: Error | undefined;

  constructor(
    { graph, dataset, batchSize, start }: Pick<Training, "graph" | "dataset" | "batchSize" | "start">,
    readonly threads = Math.max(1, Math.min(MOST, availableParallelism() - 1)),
  ) {
    const { seed } = start.position;
    const workerData: FeederTask = { inputs: graph.batches, dataset: shared(dataset), seed, batchSize };
    this.workers = Array.from({ length: threads }, () => {
      const worker = new Worker(workerFile, { workerData });
      const pending: Pending[] = [];
      worker.on("message", (feeds: Tensors) => pending.shift()?.resolve(feeds));
      worker.on("error", (error) => this.fail(messageOf(error)));
      worker.on("exit", (code) => this.fail(`it ended with code ${code}`));
      return { worker, pending };
    });
  }

  prepare({ epoch, block }: Pick<PlannedRun, "epoch" | "block">): Promise<Tensors> {
    const { worker, pending } = this.workers[this.turn];
    this.turn = (this.turn + 1) % this.threads;
    return new Promise((resolve, reject) => {
      if (this.ended) {
        reject(this.ended);
        return;
      }
      pending.push({ resolve, reject });
      worker.postMessage({ epoch, block });
    });
  }

  async close(): Promise<void> {
    this.ended ??= new Error("closed");
    await Promise.all(this.workers.map(({ worker }) => worker.removeAllListeners("exit").terminate()));
  }

  private fail(why: string): void {
    this.ended ??= new GanOnnxError({
      what: `failed (${why})`,
      where: "a thread that prepares batches",
      fix: "see that memory suffices",
    });
    for (const { pending } of this.workers) {
      for (const { reject } of pending.splice(0)) reject(this.ended);
    }
  }
}

interface Pending {
  resolve(feeds: Tensors): void;
  reject(error: Error): void;
}

/** The same data in memory that threads share. */
function shared(dataset: Dataset): Dataset {
  const { images, labels } = dataset;
  const copy = (bytes: Uint8Array) => {
    const all = new Uint8Array(new SharedArrayBuffer(bytes.length));
    all.set(bytes);
    return all;
  };
  return { ...dataset, images: copy(images), labels: labels && copy(labels) };
}
