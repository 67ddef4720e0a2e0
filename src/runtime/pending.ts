/**
 * Owns the requests to another thread. That thread answers in order, so the first answer belongs to the oldest request.
 */
export class PendingAnswers<Answer> {
  private readonly waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  private failure: Error | undefined;

  /**
   * Send one request.
   *
   * @param send sends the request. If it throws, there will be no answer.
   * @throws Error as given to {@link fail}, immediately if it was called before.
   */
  ask(send: () => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.failure) {
        reject(this.failure);
        return;
      }
      send();
      this.waiting.push({ resolve, reject });
    });
  }

  /** Resolve the oldest request. */
  answer(answer: Answer): void {
    this.waiting.shift()?.resolve(answer);
  }

  /** Reject all requests, now and later. The first reason is kept. */
  fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }
}
