import { messageOf } from "../../src/error.js";
import type { Generator } from "../../src/export/description.js";
import { drawn } from "../../src/export/draw.js";
import { runForeign } from "../../src/export/foreign-run.js";
import type { Ports } from "../../src/networks/role.js";
import { drawLatents } from "../../src/recipes/latents.js";
import { type LoadedModel, queue } from "../../src/runtime/engine.js";
import { randomStream } from "../../src/tensors/random.js";
import { floatsIn, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { loadRuntime, openOn } from "../runtime/onnxruntime.js";
import type { PageProvider } from "../runtime/page-provider.js";
import type { Answer } from "../runtime/worker-channel.js";
import { principalDirections } from "./directions.js";

/** The inputs of a generator. */
export interface GeneratorForm {
  readonly generator: Generator;
  /** Its inputs and output, if another program exported it. */
  readonly ports?: Ports;
  /** Whether it takes class weights instead of a class. */
  readonly mixes: boolean;
}

/** A request of the page. Each request is answered once, in order. */
export type Request =
  | {
      readonly kind: "open";
      readonly bytes: Uint8Array;
      readonly form: GeneratorForm;
      readonly provider: PageProvider;
    }
  | { readonly kind: "close"; readonly model: number }
  | { readonly kind: "run"; readonly model: number; readonly feeds: Tensors }
  | { readonly kind: "directions"; readonly model: number; readonly count: number };

export type Result = number | Float32Array | Float32Array[] | undefined;

interface Model extends GeneratorForm {
  readonly session: LoadedModel;
}

/** Open models by number. One may be opened while another still draws. */
const models = new Map<number, Model>();
let opened = 0;

function modelAt(number: number): Model {
  const model = models.get(number);
  if (model) return model;
  throw new Error(`model ${number} is not open`);
}

/** Convert classes to weights: 1 for the class. */
function weighted(feeds: Tensors, classes = 0): Tensors {
  const label = feeds.get("label");
  if (label?.dtype !== "int64") return feeds;
  const data = new Float32Array(label.data.length * classes);
  for (const [i, value] of label.data.entries()) data[i * classes + Number(value)] = 1;
  return new Map([...feeds, ["label", { dtype: "float32", shape: [label.data.length, classes], data }]]);
}

async function run({ session, generator, ports, mixes }: Model, feeds: Tensors): Promise<Float32Array> {
  const fed = mixes ? weighted(feeds, generator.classes) : feeds;
  if (generator.batch !== undefined) return drawn(session, { ...generator, ports }, fed);
  if (ports) return runForeign(session, generator, ports, fed);
  const image = tensorIn(await session.run(fed), "image");
  const { channels, height, width } = generator.image;
  const expected = [tensorIn(feeds, "z").shape[0], channels, height, width];
  if (String(image.shape) !== String(expected)) {
    throw new Error(`an image has shape [${image.shape}], but the file says [${expected}]`);
  }
  return image.data as Float32Array;
}

/** Open a model and test it. A model that cannot be run is not opened. */
async function open(bytes: Uint8Array, form: GeneratorForm, provider: PageProvider): Promise<number> {
  const model = { session: await openOn(provider, bytes), ...form };
  try {
    await run(model, drawLatents(randomStream(0, "trial"), 2, form.generator));
  } catch (error) {
    await model.session.close();
    throw error;
  }
  opened += 1;
  models.set(opened, model);
  return opened;
}

async function close(number: number): Promise<undefined> {
  const { session } = modelAt(number);
  models.delete(number);
  await session.close();
}

async function directions(model: Model, count: number): Promise<Float32Array[]> {
  const { channels, height, width } = model.generator.image;
  const pixels = channels * height * width;
  // Enough samples for stable directions, and few enough that waiting requests are not delayed noticeably.
  const samples = Math.min(384, Math.max(128, Math.floor(1e6 / pixels)));
  const feeds = drawLatents(randomStream(0, "directions"), samples, model.generator);
  const images = await run(model, feeds);
  const labels = feeds.get("label")?.data as BigInt64Array | undefined;
  const latents = floatsIn(feeds, "z");
  return principalDirections({ count: samples, latents, images, labels }, count);
}

function resultOf(request: Request) {
  switch (request.kind) {
    case "open":
      return open(request.bytes, request.form, request.provider);
    case "close":
      return close(request.model);
    case "run":
      return run(modelAt(request.model), request.feeds);
    case "directions":
      return directions(modelAt(request.model), request.count);
  }
}

async function answer(request: Request): Promise<Answer<Result>> {
  try {
    return { result: await resultOf(request) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

// While the first model is on its way, the runtime is, too. Whoever opens a model hears of a failure.
loadRuntime("wasm", { downloaded: (share) => postMessage({ aside: share }) }).catch(() => {});

const inTurn = queue();
addEventListener("message", ({ data }: MessageEvent<Request>) => {
  inTurn(async () => postMessage(await answer(data)));
});
