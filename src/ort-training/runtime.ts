import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { GanOnnxError, messageOf, setting } from "../error.js";
import { type Tensor, type Tensors, tensorIn } from "../tensors/tensor.js";
import type { OrtFiles } from "./artifacts.js";
import { checkFiles } from "./check.js";

interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<unknown>;
}
type RuntimeTensors = Readonly<Record<string, RuntimeTensor>>;

/** The parts of onnxruntime-web's training API that are used. The package has no types for it. */
interface RuntimeSession {
  runTrainStep(feeds: RuntimeTensors): Promise<RuntimeTensors>;
  runEvalStep(feeds: RuntimeTensors): Promise<RuntimeTensors>;
  runOptimizerStep(): Promise<void>;
  lazyResetGrad(): Promise<void>;
  getContiguousParameters(trainableOnly: boolean): Promise<RuntimeTensor>;
  loadParametersBuffer(bytes: Uint8Array, trainableOnly: boolean): Promise<void>;
  release(): Promise<void>;
}

interface Runtime {
  readonly env: {
    logLevel: string;
    readonly wasm: { numThreads: number; wasmPaths: { mjs: string; wasm: string } };
  };
  readonly Tensor: new (type: string, data: ArrayLike<unknown>, dims: readonly number[]) => RuntimeTensor;
  readonly TrainingSession: {
    create(files: {
      readonly checkpointState: Uint8Array;
      readonly trainModel: Uint8Array;
      readonly evalModel: Uint8Array;
      readonly optimizerModel: Uint8Array;
    }): Promise<RuntimeSession>;
  };
}

/** onnxruntime-web 1.19.2 under an alias: the last npm package whose training API works in Node. */
const PACKAGE = "onnxruntime-training";
let loading: Promise<Runtime> | undefined;

/**
 * Load ORT's training runtime, once per process.
 *
 * @throws {@link GanOnnxError} when it is not installed.
 */
function loadRuntime(): Promise<Runtime> {
  loading ??= importRuntime();
  return loading;
}

async function importRuntime(): Promise<Runtime> {
  try {
    // The package does not export this file to Node, but its loader works there.
    const dist = dirname(createRequire(import.meta.url).resolve(PACKAGE));
    const url = pathToFileURL(join(dist, "ort.training.wasm.min.mjs")).href;
    const runtime: Runtime = await import(url);
    runtime.env.logLevel = "error";
    runtime.env.wasm.numThreads = 1;
    const module = (suffix: string) =>
      pathToFileURL(join(dist, `ort-training-wasm-simd-threaded.${suffix}`)).href;
    runtime.env.wasm.wasmPaths = { mjs: withoutStackFrees(module("mjs")), wasm: module("wasm") };
    return runtime;
  } catch (cause) {
    throw new GanOnnxError({
      what: `ORT's training runtime is not installed (${messageOf(cause)})`,
      where: setting("runtime", "ort-training"),
      fix: `install it (109 MB): npm install ${PACKAGE}@npm:onnxruntime-web@1.19.2`,
      cause,
    });
  }
}

/**
 * ORT's loader of its WebAssembly, with one bug fixed: `getContiguousParameters` and `loadParametersBuffer` of 1.19.2
 * call `free` on stack memory at the end, which corrupts the heap (lib/wasm/wasm-training-core-impl.ts,
 * `wasm._free(dimsOffset)`). Here `free` ignores the stack.
 *
 * @returns the URL of a module, as the runtime requires.
 */
function withoutStackFrees(loader: string): string {
  const source = `
    import load from ${JSON.stringify(loader)};
    export default async (options) => {
      const module = await load(options);
      module._free(0); // Emscripten's functions replace themselves when they are first called.
      const [free, bottom] = [module._free, module.stackSave()];
      module._free = (at) => (at >= module.stackSave() && at < bottom ? undefined : free(at));
      return module;
    };`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** Owns one network in ORT's training runtime. */
export class OrtNetwork {
  private constructor(
    private readonly runtime: Runtime,
    private readonly session: RuntimeSession,
    /** User inputs, in the order that the runtime uses. */
    private readonly inputs: readonly string[],
    private readonly where: string,
  ) {}

  /**
   * Load a network's artifacts. They are checked first, because ORT reports errors only by number.
   *
   * @param where the name of their folder for messages.
   * @throws {@link GanOnnxError} when a file is wrong, or the runtime is not installed.
   */
  static async open(files: OrtFiles, where: string): Promise<OrtNetwork> {
    const { inputs } = checkFiles(files, where);
    const runtime = await loadRuntime();
    const session = await explained(where, () =>
      runtime.TrainingSession.create({
        checkpointState: files.checkpoint,
        trainModel: files["training_model.onnx"],
        evalModel: files["eval_model.onnx"],
        optimizerModel: files["optimizer_model.onnx"],
      }),
    );
    return new OrtNetwork(runtime, session, inputs, where);
  }

  /** Compute the loss of a batch, and accumulate its gradients. */
  accumulate(feeds: Tensors): Promise<Tensors> {
    return this.run((session, tensors) => session.runTrainStep(tensors), feeds);
  }

  /** Compute the loss of a batch, without gradients. */
  evaluate(feeds: Tensors): Promise<Tensors> {
    return this.run((session, tensors) => session.runEvalStep(tensors), feeds);
  }

  /** Update the parameters from the accumulated gradients and reset them. */
  update(): Promise<void> {
    return explained(this.where, async () => {
      await this.session.runOptimizerStep();
      await this.session.lazyResetGrad();
    });
  }

  /** All parameters concatenated, in the order of the model's inputs: the trained parameters or the frozen ones. */
  parameters({ frozen }: { frozen: boolean }): Promise<Float32Array<ArrayBuffer>> {
    return explained(this.where, async () => {
      const { data } = await this.session.getContiguousParameters(!frozen);
      return data as Float32Array<ArrayBuffer>;
    });
  }

  /** Replace the frozen parameters, given by network in the order of {@link OrtArtifacts.frozen}. */
  async freeze(frozen: readonly Float32Array[]): Promise<void> {
    const all = await this.parameters({ frozen: true });
    let end = all.length;
    for (const vector of frozen.toReversed()) {
      end -= vector.length;
      all.set(vector, end);
    }
    await explained(this.where, () => this.session.loadParametersBuffer(new Uint8Array(all.buffer), false));
  }

  close(): Promise<void> {
    return explained(this.where, () => this.session.release());
  }

  private run(
    step: (session: RuntimeSession, feeds: RuntimeTensors) => Promise<RuntimeTensors>,
    feeds: Tensors,
  ): Promise<Tensors> {
    const tensors = this.inputs.map((name) => {
      const { dtype, data, shape } = tensorIn(feeds, name);
      return [name, new this.runtime.Tensor(dtype, data, shape)] as const;
    });
    return explained(this.where, async () => {
      const results = await step(this.session, Object.fromEntries(tensors));
      const read = Object.entries(results).map(([name, { type, dims, data }]) => {
        return [name, { dtype: type, shape: dims, data } as Tensor] as const;
      });
      return new Map(read);
    });
  }
}

/** ORT throws a message, or the address of an exception in its memory. */
async function explained<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason =
      typeof cause === "number" ? "it threw a C++ exception, without a message" : messageOf(cause);
    throw new GanOnnxError({
      what: `ORT's training runtime failed (${reason})`,
      where,
      fix: "check that the artifacts belong together, and that there is enough memory",
      cause,
    });
  }
}
