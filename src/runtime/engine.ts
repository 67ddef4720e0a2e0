import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Tensor, Tensors } from "../tensors/tensor.js";

/** A model that can be run, wherever it is loaded. */
export interface LoadedModel {
  run(feeds: Tensors): Promise<Tensors>;
  close(): Promise<void>;
}

/**
 * Load a model.
 *
 * @param where what the model is called in messages: a file name.
 */
export type OpenModel = (model: Uint8Array, where: string) => Promise<LoadedModel>;

/**
 * Whatever makes the steps of a training, and keeps its state between them. What it is asked for happens in that
 * order, whether or not the answer is waited for.
 */
export interface Engine {
  /** Make the steps that the batch inputs hold, which must not be used after that; returns their metrics. */
  consume(feeds: Tensors): Promise<Tensors>;
  /** A copy of the state as the last step left it; of ORT's training runtime, the parameters alone. */
  getState(): Promise<Tensors>;
  /** Put it back to a state, where that can be done. */
  setState?(state: Tensors): Promise<void>;
  close(): Promise<void>;
}

/** Begins the names of outputs that replace a state: output `next/X`, input X. */
export const NEXT = "next/";

/** Tasks that happen one after the other, whether or not their ends are waited for. */
export function queue(): <T>(task: () => Promise<T> | T) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => {});
    return result;
  };
}

/** What is used of a session of ONNX Runtime. */
interface OrtSession {
  readonly outputNames: readonly string[];
  run(feeds: InferenceSession.FeedsType): Promise<InferenceSession.ReturnType>;
  release(): Promise<void>;
}

/**
 * Owns a session of ONNX Runtime and, if its model trains, the state: inputs that are replaced by each call's
 * `next/…` outputs, and that are seen outside only when asked for. Threads of Node and workers of a browser have it in
 * common.
 */
export class StatefulSession implements Engine {
  private readonly state = new Map<string, OrtTensor>();
  /** A call must see the state that the one before leaves. */
  private readonly inTurn = queue();

  /** @param Tensor the class of the ONNX Runtime that the session is of. */
  constructor(
    private readonly session: OrtSession,
    private readonly Tensor: typeof OrtTensor,
  ) {}

  /** Run the model once. What comes back are the outputs that are no state. */
  run(feeds: Tensors): Promise<Tensors> {
    return this.inTurn(() => this.results(feeds));
  }

  consume(feeds: Tensors): Promise<Tensors> {
    return this.run(feeds);
  }

  /** Replace the whole state: the value of every input X that the model has an output `next/X` for. */
  setState(state: Tensors): Promise<void> {
    return this.inTurn(() => {
      this.state.clear();
      for (const [name, tensor] of state) this.state.set(name, this.fed(tensor));
    });
  }

  getState(): Promise<Tensors> {
    return this.inTurn(() => new Map(Array.from(this.state, ([name, tensor]) => [name, read(tensor)])));
  }

  close(): Promise<void> {
    return this.inTurn(() => this.session.release());
  }

  private async results(feeds: Tensors): Promise<Tensors> {
    const fed = Array.from(feeds, ([name, tensor]) => [name, this.fed(tensor)] as const);
    const results = await this.session.run(Object.fromEntries([...fed, ...this.state]));
    const outputs = new Map<string, Tensor>();
    for (const name of this.session.outputNames) {
      const tensor = results[name] as OrtTensor;
      if (name.startsWith(NEXT)) this.state.set(name.slice(NEXT.length), tensor);
      else outputs.set(name, read(tensor));
    }
    return outputs;
  }

  private fed({ dtype, shape, data }: Tensor): OrtTensor {
    return new this.Tensor(dtype as "float32", data as Float32Array, shape);
  }
}

function read({ type, dims, data }: OrtTensor): Tensor {
  return { dtype: type, shape: dims, data } as Tensor;
}
