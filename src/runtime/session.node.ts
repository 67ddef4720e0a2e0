import { GanOnnxError, setting, text } from "../error.js";
import type { Tensors } from "../tensors/tensor.js";
import type { Engine, LoadedModel, OpenModel } from "./engine.js";
import { requireProvider } from "./examine.node.js";
import { nativeMessage } from "./native-messages.js";
import { type ProviderName, type SessionSettings, sessionOptions } from "./providers.js";
import type { Reply, Request } from "./session-worker.node.js";
import { buffersOf, Thread } from "./thread.node.js";

/** Where and how a model runs. */
export interface SessionPlace extends SessionSettings {
  readonly ep: ProviderName;
}

/**
 * Owns a model loaded in a thread of its own, and the state of a training if the model has one. Until it is closed, its
 * thread keeps the process alive.
 */
export class Session implements Engine, LoadedModel {
  /** 1 when the thread is to make no further call. */
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
   * @param where what the model is called in messages: a file name.
   * @throws GanOnnxError when the provider is not available or refuses the model.
   */
  static async open(model: Uint8Array, place: SessionPlace, where: string): Promise<Session> {
    const { ep, ...settings } = place;
    const options = sessionOptions(ep, settings);
    await requireProvider(ep, place.device);
    const session = new Session(where);
    try {
      await session.ask({ kind: "open", model, options });
    } catch (cause) {
      await session.close();
      throw new GanOnnxError({
        what: `the execution provider ${ep} cannot load it (${nativeMessage(cause)})`,
        where,
        fix: text`see what \`gan-onnx doctor\` reports for the provider, or choose another ${setting("ep")}`,
        cause,
      });
    }
    return session;
  }

  /** Run the model once. State is fed and replaced in the thread; what comes back are the other outputs. */
  run(feeds: Tensors): Promise<Tensors> {
    return this.results(feeds, []);
  }

  /** The same with feeds that go over to the thread instead of being copied. */
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

  /** Replace the whole state: the value of every input X that the model has an output `next/X` for. */
  async setState(state: Tensors): Promise<void> {
    await this.ask({ kind: "setState", state });
  }

  /** A copy of the state as the last call left it. */
  getState(): Promise<Tensors> {
    return this.ask({ kind: "getState" });
  }

  /** Close it when the call under way has ended; those that wait are not made. */
  async close(): Promise<void> {
    Atomics.store(this.closing, 0, 1);
    // A thread that is ended within a call takes the process with it: ONNX Runtime cannot hand on its results.
    await this.ask({ kind: "close" }).catch(() => {});
    await this.thread.end("the session is closed");
  }

  private async ask(request: Request, transfer: readonly ArrayBuffer[] = []): Promise<Tensors> {
    const reply = await this.thread.ask(request, transfer);
    if ("error" in reply) throw new Error(reply.error);
    return reply.outputs;
  }
}

/** Loads models that are run on an execution provider. */
export function opensOn(place: SessionPlace): OpenModel {
  return (model, where): Promise<LoadedModel> => Session.open(model, place, where);
}
