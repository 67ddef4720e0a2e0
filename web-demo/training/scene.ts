import type { Dataset } from "../../src/data/dataset.js";
import { type Picture, paintSheet } from "../../src/data/sheet.js";
import { encodeModel } from "../../src/onnx/index.js";
import { type Design, type ImageShape, samplerOf } from "../../src/recipes/index.js";
import { drawLatents } from "../../src/recipes/latents.js";
import type { LoadedModel, OpenModel } from "../../src/runtime/engine.js";
import { randomStream } from "../../src/tensors/random.js";
import { floatsIn, type Tensor, type Tensors, tensorIn } from "../../src/tensors/tensor.js";
import { firstOf } from "../../src/training/batches.js";
import { buildCritic, buildInference, buildReconstructor } from "../../src/training/inference.js";
import type { SheetPainter } from "../../src/training/training.js";

/** The number of images of each kind in a scene. */
export const SHOWN = 64;

/** Images as bytes, and the discriminator's opinion of each, if there is one: from 0 (generated) to 1 (real). */
export interface Tiles {
  readonly images: Uint8Array<ArrayBuffer>;
  readonly opinions?: Float32Array;
}

/** The visible results of a training at one moment. */
export interface Scene {
  readonly image: ImageShape;
  /** Images that the generator makes from fixed latents, or fixed training images with the answers of a classifier. */
  readonly made: Tiles;
  /** Fixed training images, where there is a generator. */
  readonly real?: Tiles;
  /** An autoencoder's reconstructions of them. */
  readonly rebuilt?: Tiles;
}

/** Owns the models that paint the scenes of a training, and shows each scene. */
export interface StagePainter extends SheetPainter {
  show: (scene: Scene) => void;
}

/** The training images of the scenes. */
export function shownOf(dataset: Dataset, seed: number) {
  return firstOf(dataset, seed, SHOWN);
}

/** A model of the training, and the states that are its inputs. */
interface Loaded {
  readonly model: LoadedModel;
  readonly inputs: readonly string[];
}

/** Draws and judges the scenes of a training with a generator. */
export class ScenePainter implements StagePainter {
  private constructor(
    private readonly design: Design,
    private readonly latents: Tensors,
    private readonly real: Uint8Array<ArrayBuffer>,
    private readonly realLabels: Tensor | undefined,
    private readonly sampler: Loaded,
    private readonly critic: Loaded | undefined,
    private readonly reconstructor: Loaded | undefined,
  ) {}

  show: (scene: Scene) => void = () => {};

  static async open(design: Design, dataset: Dataset, open: OpenModel, seed: number): Promise<ScenePainter> {
    const about = { doc: "Draws the scenes of a training." };
    const load = async (model: ReturnType<typeof buildCritic>): Promise<Loaded | undefined> =>
      model && {
        model: await open(encodeModel(model), "the sampler"),
        inputs: model.graph.inputs.map(({ name }) => name),
      };
    const { images, labels } = shownOf(dataset, seed);
    const sampler = (await load(buildInference(design, about))) as Loaded;
    return new ScenePainter(
      design,
      drawLatents(randomStream(seed, "sheet"), SHOWN, samplerOf(design, "recipe")),
      new Uint8Array(images),
      labels && { dtype: "int64", shape: [SHOWN], data: BigInt64Array.from(labels, BigInt) },
      sampler,
      await load(buildCritic(design, about)),
      await load(buildReconstructor(design, about)),
    );
  }

  /** Show the scene of a state. The returned sheet contains the generated images. */
  async paint(state: Tensors): Promise<Picture> {
    const { image } = this.design;
    const made = await run(this.sampler, this.latents, state);
    const real = this.realInRange();
    const rebuilt = this.reconstructor && (await run(this.reconstructor, this.bytes(), state));
    const [ofMade, ofReal] = await this.opinions(made, real, state);
    const asBytes = (values: Float32Array) => bytesIn(values, this.design.exported.range);
    const bytes = asBytes(made);
    this.show({
      image,
      made: { images: bytes, opinions: ofMade },
      real: { images: this.real, opinions: ofReal },
      rebuilt: rebuilt && { images: asBytes(rebuilt) },
    });
    return this.sheet(bytes);
  }

  paintReal(): Picture {
    return this.sheet(this.real);
  }

  private sheet(images: Uint8Array): Picture {
    return paintSheet(images, { count: SHOWN, ...this.design.image }, { range: [0, 255], columns: 8 });
  }

  /** Judge each batch separately: a discriminator with batch normalization is trained like that. */
  private async opinions(made: Float32Array, real: Float32Array, state: Tensors) {
    const { critic } = this;
    if (!critic) return [];
    const { channels, height, width } = this.design.image;
    const judged = async (images: Float32Array, labels: Tensor | undefined) => {
      const x = { dtype: "float32", shape: [SHOWN, channels, height, width], data: images } as const;
      const feeds = new Map<string, Tensor>([["x", x], ...(labels ? [["label", labels] as const] : [])]);
      return floatsOf(await critic.model.run(withState(feeds, critic, state)), "score");
    };
    const [a, b] = [await judged(made, this.latents.get("label")), await judged(real, this.realLabels)];
    return this.design.critic?.probability ? [a, b] : compared(a, b);
  }

  private bytes(): Tensors {
    const shape = [SHOWN, this.real.length / SHOWN];
    return new Map([["x", { dtype: "uint8", shape, data: this.real }]]);
  }

  private realInRange(): Float32Array {
    const [low, high] = this.design.exported.range;
    return Float32Array.from(this.real, (byte) => low + (byte * (high - low)) / 255);
  }

  async close(): Promise<void> {
    await Promise.all([this.sampler, this.critic, this.reconstructor].map((loaded) => loaded?.model.close()));
  }
}

async function run(loaded: Loaded, feeds: Tensors, state: Tensors): Promise<Float32Array> {
  return floatsOf(await loaded.model.run(withState(feeds, loaded, state)), "image");
}

/** Omit labels if the model has no input for them. */
function withState(feeds: Tensors, { inputs }: Loaded, state: Tensors): Tensors {
  const all = new Map([...feeds, ...state]);
  return new Map(inputs.map((name) => [name, tensorIn(all, name)]));
}

const floatsOf = (outputs: Tensors, name: string) => floatsIn(outputs, name);

function bytesIn(values: Float32Array, [low, high]: readonly [number, number]): Uint8Array<ArrayBuffer> {
  // A clamped array rounds and clamps assigned values.
  const clamped = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i++) clamped[i] = (255 * (values[i] - low)) / (high - low);
  return new Uint8Array(clamped.buffer);
}

/** Scale scores to opinions from 0 to 1: 0.5 is the middle between the two means. */
function compared(made: Float32Array, real: Float32Array): [Float32Array, Float32Array] {
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const all = [...made, ...real];
  const middle = (mean(made) + mean(real)) / 2;
  const spread = Math.sqrt(all.reduce((sum, value) => sum + (value - middle) ** 2, 0) / all.length) || 1;
  const opinion = (value: number) => 1 / (1 + Math.exp((-2 * (value - middle)) / spread));
  return [made.map(opinion), real.map(opinion)];
}
