import { PendingAnswers } from "../../src/runtime/pending.js";

/** A worker's answer to a request. */
export type Answer<Result> = { readonly result: Result } | { readonly error: string };

/** Owns a worker of the browser that answers each request once, in order. */
export class WorkerChannel<Request, Result> {
  private readonly pending = new PendingAnswers<Answer<Result>>();

  /**
   * @param aside receives messages that are not answers.
   */
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

  /**
   * @throws Error with the worker's message, or when the worker failed.
   */
  async ask(request: Request): Promise<Result> {
    const answer = await this.pending.ask(() => this.worker.postMessage(request));
    if ("error" in answer) throw new Error(answer.error);
    return answer.result;
  }
}

/** The message for a failed worker. A worker that could not be loaded has no message. */
export function workerFailure({ message }: { readonly message?: string }): string {
  return `the worker failed (${message ?? "it could not be loaded"})`;
}
