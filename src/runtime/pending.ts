/** Owns what is asked of another thread, which answers in the order of the questions: so it is told whose an answer is. */
export class PendingAnswers<Answer> {
  private readonly waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  private failure: Error | undefined;

  /**
   * Ask one question.
   *
   * @param send hands it over; when that throws, there will be no answer.
   * @throws Error as {@link fail} was told, at once if that is over.
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

  /** The answer to the oldest question. */
  answer(answer: Answer): void {
    this.waiting.shift()?.resolve(answer);
  }

  /** There will be no answer any more, to no question. The first reason counts. */
  fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }
}
