import { availableParallelism } from "node:os";
import type { Dataset } from "../data/dataset.js";
import { GanOnnxError, messageOf } from "../error.js";
import { Thread } from "../runtime/thread.node.js";
import type { Tensors } from "../tensors/tensor.js";
import type { FeederTask } from "./feeder-worker.node.js";
import type { Feeder, FeederCall, Supplied } from "./training.js";

/** The maximum number of threads. Four are enough for a GPU that runs a step of 2,048 images in two milliseconds. */
const MOST = 4;

/** Owns the threads that prepare batch inputs. They take turns, and all read one copy of the images. */
export class Feeders implements Feeder {
  private readonly owned: readonly Thread<FeederCall, Tensors>[];
  private turn = 0;

  constructor(
    { graph, dataset, batchSize, start, augmentations }: Supplied,
    readonly threads = Math.max(1, Math.min(MOST, availableParallelism() - 1)),
  ) {
    const { seed } = start.position;
    const task: FeederTask = {
      inputs: graph.batches,
      dataset: shared(dataset),
      seed,
      batchSize,
      augmentations,
    };
    const open = () => new Thread<FeederCall, Tensors>("#feeder-worker", "it", task);
    this.owned = Array.from({ length: threads }, open);
  }

  async prepare({ epoch, block }: FeederCall): Promise<Tensors> {
    const thread = this.owned[this.turn];
    this.turn = (this.turn + 1) % this.threads;
    try {
      return await thread.ask({ epoch, block });
    } catch (cause) {
      throw new GanOnnxError({
        what: `failed (${messageOf(cause)})`,
        where: "a thread that prepares batches",
        fix: "check that there is enough memory",
        cause,
      });
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.owned.map((thread) => thread.end("closed")));
  }
}

/** Copy the data to memory that threads share. */
function shared(dataset: Dataset): Dataset {
  const { images, labels } = dataset;
  const copy = (bytes: Uint8Array) => {
    if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
    const all = new Uint8Array(new SharedArrayBuffer(bytes.length));
    all.set(bytes);
    return all;
  };
  return { ...dataset, images: copy(images), labels: labels && copy(labels) };
}
