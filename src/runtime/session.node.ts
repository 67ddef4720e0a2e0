import { GanOnnxError, messageOf, setting, text } from "../error.js";
import type { Tensors } from "../tensors/tensor.js";
import type { Engine, LoadedModel, OpenModel } from "./engine.js";
import { requireProvider } from "./examine.node.js";
import { nativeMessage } from "./native-messages.js";
import { optionsFor, type ProviderName, type SessionSettings } from "./providers.js";
import type { Reply, Request } from "./session-worker.node.js";
import { buffersOf, Thread } from "./thread.node.js";
import { unloadable } from "./unloadable.node.js";

/** The execution provider and settings for running a model. */
export interface SessionPlace extends SessionSettings {
  readonly ep: ProviderName;
}

/**
 * Owns a model in a separate thread, and the state of a training if the model has one. The thread keeps the process
 * alive until the session is closed.
 */
export class Session implements Engine, LoadedModel {
  /** 1 when the thread must not start another call. */
  private readonly closing = new Int32Array(new SharedArrayBuffer(4));
  private readonly thread = new Thread<Request, Reply>(
    "#session-worker",
    "the session's thread",
    this.closing,
  );

  private constructor(private readonly where: string) {}

  /**
   * Load a model on an execution provider.
   *
   * @param where the name of the model for messages, e.g. a file name.
   * @throws {@link GanOnnxError} when the provider is not available or refuses the model.
   */
  static async open(model: Uint8Array, place: SessionPlace, where: string): Promise<Session> {
    const { ep, ...settings } = place;
    const options = await optionsFor(model, ep, settings);
    await requireProvider(ep, place.device);
    const session = new Session(where);
    try {
      await session.ask({ kind: "open", model, options });
    } catch (cause) {
      await session.close();
      const machine = unloadable(messageOf(cause));
      if (machine) throw new GanOnnxError({ ...machine, where: setting("ep", ep), cause });
      throw new GanOnnxError({
        what: `the execution provider ${ep} cannot load it (${nativeMessage(cause)})`,
        where,
        fix: text`see what \`gan-onnx doctor\` reports for the provider, or choose another ${setting("ep")}`,
        cause,
      });
    }
    return session;
  }

  /** Run the model once. The thread provides and replaces the state. Returns the other outputs. */
  run(feeds: Tensors): Promise<Tensors> {
    return this.results(feeds, []);
  }

  /** Like {@link run}, but transfers the feeds to the thread instead of copying them. */
  consume(feeds: Tensors): Promise<Tensors> {
    return this.results(feeds, buffersOf(feeds));
  }

  private async results(feeds: Tensors, transfer: readonly ArrayBuffer[]): Promise<Tensors> {
    try {
      return await this.ask({ kind: "run", feeds }, transfer);
    } catch (cause) {
      throw new GanOnnxError({
        what: `ONNX Runtime failed (${nativeMessage(cause)})`,
        where: this.where,
        fix: "check that the inputs have the shapes that the model needs, and that there is enough memory",
        cause,
      });
    }
  }

  /** Replace the whole state: the value of every input X that has an output `next/X`. */
  async setState(state: Tensors): Promise<void> {
    await this.ask({ kind: "setState", state });
  }

  /** A copy of the state after the last call. */
  getState(): Promise<Tensors> {
    return this.ask({ kind: "getState" });
  }

  /** Close the session after the current call. Calls that are still waiting are rejected. */
  async close(): Promise<void> {
    Atomics.store(this.closing, 0, 1);
    // Wait for the current call: terminating a thread inside a call crashes the process, because ONNX Runtime cannot
    // deliver its results.
    await this.ask({ kind: "close" }).catch(() => {});
    await this.thread.end("the session is closed");
  }

  private async ask(request: Request, transfer: readonly ArrayBuffer[] = []): Promise<Tensors> {
    const reply = await this.thread.ask(request, transfer);
    if ("error" in reply) throw new Error(reply.error);
    return reply.outputs;
  }
}

/** Returns a function that loads models on an execution provider. */
export function opensOn(place: SessionPlace): OpenModel {
  return (model, where): Promise<LoadedModel> => Session.open(model, place, where);
}
