import { messageOf } from "../error.js";
import { Thread } from "../runtime/thread.node.js";
import type { ParquetPicture } from "./parquet-file.node.js";
import type { ParquetAnswer, ParquetContent, ParquetQuestion } from "./parquet-worker.node.js";
import { broken } from "./unpacked.node.js";

/** The most memory of the thread beside the bytes of pictures, in MiB. A million pictures take about 250. */
const MOST_MEMORY = 512;
/** Milliseconds between two looks at a thread. */
const TICK = 100;

/** How long a question may take, in milliseconds, and what stops it. */
export interface ParquetLimits {
  readonly patience: number;
  readonly signal?: AbortSignal;
}

/**
 * Owns a thread that reads Parquet files, because the decoder may not end for a damaged one. The thread serves one file
 * after another, and is replaced when it was stopped. One question at a time.
 */
export class ParquetReader {
  private thread: Thread<ParquetQuestion, ParquetAnswer> | undefined;

  /**
   * What a file holds.
   *
   * @throws {@link GanOnnxError} when it is damaged, or has no column of images; the signal's reason.
   */
  async content(path: string, limits: ParquetLimits): Promise<ParquetContent> {
    const answer = await this.ask({ path }, limits);
    if (!("content" in answer)) throw new Error("a Parquet thread answered something else");
    return answer.content;
  }

  /**
   * The pictures of a group of rows.
   *
   * @throws {@link GanOnnxError} when the file is damaged; the signal's reason.
   */
  async pictures(path: string, group: number, limits: ParquetLimits): Promise<readonly ParquetPicture[]> {
    const answer = await this.ask({ path, group }, limits);
    if (!("pictures" in answer)) throw new Error("a Parquet thread answered something else");
    return answer.pictures;
  }

  async close(): Promise<void> {
    await this.end("all is read");
  }

  private async end(why: string): Promise<void> {
    const { thread } = this;
    this.thread = undefined;
    await thread?.end(why);
  }

  private async ask(question: ParquetQuestion, { patience, signal }: ParquetLimits) {
    signal?.throwIfAborted();
    this.thread ??= new Thread("#parquet-worker", "it", undefined, { maxOldGenerationSizeMb: MOST_MEMORY });
    const stop = (why: string) => void this.end(why);
    const aborted = () => stop("it was stopped");
    signal?.addEventListener("abort", aborted, { once: true });
    const late = afterUse(patience, () =>
      stop(`it takes over ${Math.max(1, Math.round(patience / 1000))} s`),
    );
    const { path } = question;
    const again = "replace it by a whole copy";
    let answer: ParquetAnswer;
    try {
      answer = await this.thread.ask(question);
    } catch (cause) {
      // It took too long or too much memory. In the second case the thread has ended by itself.
      await this.end("it was stopped");
      signal?.throwIfAborted();
      throw broken(path, `cannot be read as a Parquet file (${messageOf(cause)})`, again, cause);
    } finally {
      clearInterval(late);
      signal?.removeEventListener("abort", aborted);
    }
    if ("fault" in answer) throw broken(path, answer.fault.what, answer.fault.fix ?? again);
    return answer;
  }
}

/**
 * Call back once after this time, in milliseconds. Only time counts in which this process computes, so that a busy
 * machine or a stopped process is no fault.
 */
function afterUse(patience: number, then: () => void): NodeJS.Timeout {
  let [used, before] = [0, process.cpuUsage()];
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    used += Math.min(TICK, (user + system) / 1000);
    if (used < patience) return;
    clearInterval(timer);
    then();
  }, TICK);
  return timer;
}
