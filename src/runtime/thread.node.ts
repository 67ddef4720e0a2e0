import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import type { Tensors } from "../tensors/tensor.js";
import { PendingAnswers } from "./pending.js";

const require = createRequire(import.meta.url);

/** Owns a thread that answers each message by one of its own, in their order. */
export class Thread<Question, Answer> {
  private readonly worker: Worker;
  private readonly pending = new PendingAnswers<Answer>();

  /**
   * @param file what it runs: a name of package.json's `imports`, since threads load compiled files only.
   * @param name what it is called in messages.
   */
  constructor(file: `#${string}`, name: string, workerData: unknown) {
    this.worker = new Worker(require.resolve(file), { workerData });
    this.worker.on("message", (answer: Answer) => this.pending.answer(answer));
    this.worker.on("error", (error) => this.pending.fail(error));
    this.worker.on("exit", (code) => this.pending.fail(new Error(`${name} ended with code ${code}`)));
  }

  /** @param transfer what goes over to the thread instead of being copied. */
  ask(question: Question, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    return this.pending.ask(() => this.worker.postMessage(question, transfer));
  }

  /** End it at once; whoever still waits for an answer, or asks later, is told why. */
  async end(why: string): Promise<void> {
    this.pending.fail(new Error(why));
    await this.worker.terminate();
  }
}

/** The memory of tensors that go over to another thread instead of being copied; some may share it. */
export function buffersOf(tensors: Tensors): ArrayBuffer[] {
  return [...new Set(Array.from(tensors.values(), ({ data }) => data.buffer as ArrayBuffer))];
}
