import { createRequire } from "node:module";
import { type ResourceLimits, Worker } from "node:worker_threads";
import type { Tensors } from "../tensors/tensor.js";
import { PendingAnswers } from "./pending.js";

const require = createRequire(import.meta.url);

/** Owns a thread that answers each message with one message, in order. */
export class Thread<Question, Answer> {
  private readonly worker: Worker;
  private readonly pending = new PendingAnswers<Answer>();

  /**
   * @param file the script, as a name in package.json's `imports`: threads load only compiled files.
   * @param name the name of the thread for messages.
   * @param resourceLimits its most memory. A thread that needs more ends with an error.
   */
  constructor(file: `#${string}`, name: string, workerData: unknown, resourceLimits?: ResourceLimits) {
    this.worker = new Worker(require.resolve(file), { workerData, resourceLimits });
    this.worker.on("message", (answer: Answer) => this.pending.answer(answer));
    this.worker.on("error", (error) => this.pending.fail(error));
    this.worker.on("exit", (code) => this.pending.fail(new Error(`${name} ended with code ${code}`)));
  }

  /**
   * @param transfer buffers that are transferred to the thread instead of copied.
   */
  ask(question: Question, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    return this.pending.ask(() => this.worker.postMessage(question, transfer));
  }

  /** Terminate the thread. Pending and later requests are rejected with this reason. */
  async end(why: string): Promise<void> {
    this.pending.fail(new Error(why));
    await this.worker.terminate();
  }
}

/** The buffers of tensors, for transfer to another thread. Tensors may share a buffer. */
export function buffersOf(tensors: Tensors): ArrayBuffer[] {
  return [...new Set(Array.from(tensors.values(), ({ data }) => data.buffer as ArrayBuffer))];
}
