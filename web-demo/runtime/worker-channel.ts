import { PendingAnswers } from "../../src/runtime/pending.js";

/** What a worker answers a request with. */
export type Answer<Result> = { readonly result: Result } | { readonly error: string };

/** Owns a worker of the browser that answers each request once, in their order. */
export class WorkerChannel<Request, Result> {
  private readonly pending = new PendingAnswers<Answer<Result>>();

  /** @param aside hears what the worker says besides its answers. */
  constructor(
    private readonly worker: Worker,
    aside: (message: unknown) => void = () => {},
  ) {
    worker.addEventListener("message", ({ data }: MessageEvent<Answer<Result> | { aside: unknown }>) => {
      if ("aside" in data) aside(data.aside);
      else this.pending.answer(data);
    });
    worker.addEventListener("error", (event) => this.pending.fail(new Error(workerFailure(event))));
  }

  /** @throws Error with what the worker says, or that it failed. */
  async ask(request: Request): Promise<Result> {
    const answer = await this.pending.ask(() => this.worker.postMessage(request));
    if ("error" in answer) throw new Error(answer.error);
    return answer.result;
  }
}

/** What became of a worker that sends an error: one that could not be loaded has no words for it. */
export function workerFailure({ message }: { readonly message?: string }): string {
  return `the worker failed (${message ?? "it could not be loaded"})`;
}
