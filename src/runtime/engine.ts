import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Tensor, Tensors } from "../tensors/tensor.js";

/** A loaded model, in a thread, a worker or this thread. */
export interface LoadedModel {
  run(feeds: Tensors): Promise<Tensors>;
  close(): Promise<void>;
}

/**
 * Load a model.
 *
 * @param where the name of the model for messages, e.g. a file name.
 */
export type OpenModel = (model: Uint8Array, where: string) => Promise<LoadedModel>;

/**
 * Runs training steps and keeps the state between them. Requests are processed in order, whether or not the caller
 * awaits them.
 */
export interface Engine {
  /** Run the steps for these batch inputs and return their metrics. The inputs must not be used afterwards. */
  consume(feeds: Tensors): Promise<Tensors>;
  /** A copy of the state after the last step. ORT's training runtime returns only the parameters. */
  getState(): Promise<Tensors>;
  /** Restore a state, if the runtime supports it. */
  setState?(state: Tensors): Promise<void>;
  close(): Promise<void>;
}

/** The prefix of outputs that replace a state: output `next/X` replaces input X. */
export const NEXT = "next/";

/** Run tasks one after the other, whether or not the caller awaits them. */
export function queue(): <T>(task: () => Promise<T> | T) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => {});
    return result;
  };
}

/** The parts of an ONNX Runtime session that are used. */
interface OrtSession {
  readonly outputNames: readonly string[];
  run(feeds: InferenceSession.FeedsType): Promise<InferenceSession.ReturnType>;
  release(): Promise<void>;
}

/**
 * Owns a session of ONNX Runtime. If the model trains, it also owns the state: inputs that the `next/…` outputs of each
 * call replace, and that are returned only on request. Used in threads of Node and workers of a browser.
 */
export class StatefulSession implements Engine {
  private readonly state = new Map<string, OrtTensor>();
  /** Each call needs the state of the previous call. */
  private readonly inTurn = queue();

  /**
   * @param Tensor the class of the ONNX Runtime that created the session.
   */
  constructor(
    private readonly session: OrtSession,
    private readonly Tensor: typeof OrtTensor,
  ) {}

  /** Run the model once. Returns the outputs that are not state. */
  run(feeds: Tensors): Promise<Tensors> {
    return this.inTurn(() => this.results(feeds));
  }

  consume(feeds: Tensors): Promise<Tensors> {
    return this.run(feeds);
  }

  /** Replace the whole state: the value of every input X that has an output `next/X`. */
  setState(state: Tensors): Promise<void> {
    return this.inTurn(() => {
      this.release();
      for (const [name, tensor] of state) this.state.set(name, this.fed(tensor));
    });
  }

  getState(): Promise<Tensors> {
    return this.inTurn(async () => {
      const state = new Map<string, Tensor>();
      for (const [name, tensor] of this.state) {
        // What lies on a GPU comes back here, and goes up again with the next call.
        if (tensor.location === "gpu-buffer") await tensor.getData(true);
        state.set(name, read(tensor));
      }
      return state;
    });
  }

  close(): Promise<void> {
    return this.inTurn(() => {
      this.release();
      return this.session.release();
    });
  }

  private release(): void {
    for (const tensor of this.state.values()) disposeOf(tensor);
    this.state.clear();
  }

  private async results(feeds: Tensors): Promise<Tensors> {
    const fed = Array.from(feeds, ([name, tensor]) => [name, this.fed(tensor)] as const);
    const results = await this.session.run(Object.fromEntries([...fed, ...this.state]));
    const outputs = new Map<string, Tensor>();
    for (const name of this.session.outputNames) {
      const tensor = results[name] as OrtTensor;
      if (name.startsWith(NEXT)) {
        disposeOf(this.state.get(name.slice(NEXT.length)));
        this.state.set(name.slice(NEXT.length), tensor);
      } else outputs.set(name, read(tensor));
    }
    return outputs;
  }

  private fed({ dtype, shape, data }: Tensor): OrtTensor {
    return new this.Tensor(dtype as "float32", data as Float32Array, shape);
  }
}

/** Memory of a GPU is given back by hand; other tensors belong to whoever has them. */
function disposeOf(tensor: OrtTensor | undefined): void {
  if (tensor?.location === "gpu-buffer") tensor.dispose();
}

function read({ type, dims, data }: OrtTensor): Tensor {
  return { dtype: type, shape: dims, data } as Tensor;
}
