import type { Dataset } from "../data/dataset.js";
import { type Picture, paintSheet } from "../data/sheet.js";
import type { Model } from "../graph/index.js";
import { encodeModel } from "../onnx/index.js";
import { type Design, pixelsOf, type Sampler } from "../recipes/index.js";
import { drawLatents } from "../recipes/latents.js";
import type { LoadedModel, OpenModel } from "../runtime/engine.js";
import { randomStream } from "../tensors/random.js";
import { floatsIn, type Tensors } from "../tensors/tensor.js";
import { firstOf } from "./batches.js";
import { buildInference, buildReconstructor } from "./inference.js";
import type { SheetPainter } from "./training.js";

/** The number of images on a sheet, in rows of {@link COLUMNS}. */
export const COUNT = 64;
export const COLUMNS = 8;

/** Owns the sessions that draw the sheets of a run. All sheets use the same latents, so that epochs can be compared. */
export class SamplePainter implements SheetPainter {
  private constructor(
    private readonly design: Design,
    private readonly range: Sampler["range"],
    private readonly latents: Tensors,
    private readonly real: Uint8Array,
    private readonly sampler: Loaded,
    private readonly reconstructor: Loaded | undefined,
  ) {}

  /**
   * @param sampler the exported sampler of the design.
   */
  static async open(
    design: Design,
    sampler: Sampler,
    { dataset, open, seed }: { dataset: Dataset; open: OpenModel; seed: number },
  ): Promise<SamplePainter> {
    const about = { doc: "Draws the sheets of a training." };
    const loaded = await load(buildInference(design, about, "preview"), open);
    const reconstructor = buildReconstructor(design, about);
    return new SamplePainter(
      design,
      sampler.range,
      drawLatents(randomStream(seed, "sheet"), COUNT, sampler),
      firstOf(dataset, seed, COUNT).images,
      loaded,
      reconstructor && (await load(reconstructor, open)),
    );
  }

  /** Paint the images of the fixed latents. If the design reconstructs, also real images and their reconstructions. */
  async paint(state: Tensors): Promise<Picture> {
    const samples = await draw(this.sampler, this.latents, state);
    const { range } = this;
    if (!this.reconstructor) return this.sheet(samples, COUNT, COLUMNS, range);
    const shape = [COUNT, pixelsOf(this.design.image)];
    const reconstructed = await draw(
      this.reconstructor,
      new Map([["x", { dtype: "uint8", shape, data: this.real }]]),
      state,
    );
    const [low, high] = range;
    // Convert first, then scale in place: `from` with a mapping function needs twenty bytes per element.
    const real = Float32Array.from(this.real);
    real.forEach((byte, i) => {
      real[i] = low + (byte * (high - low)) / 255;
    });
    return this.sheet(this.beside(samples, real, reconstructed), 2 * COUNT, 2 * COLUMNS, range);
  }

  /** The sheet of the real images. */
  paintReal(): Picture {
    return this.sheet(this.real, this.real.length / pixelsOf(this.design.image), COLUMNS, [0, 255]);
  }

  /** Rows of samples, then rows of real images and, below each, their reconstructions. */
  private beside(samples: Float32Array, real: Float32Array, reconstructed: Float32Array): Float32Array {
    const size = COLUMNS * pixelsOf(this.design.image);
    const joined = new Float32Array(2 * samples.length);
    for (let row = 0; row < COUNT / COLUMNS; row++) {
      const source = row % 2 === 0 ? real : reconstructed;
      const from = Math.floor(row / 2) * size;
      joined.set(samples.subarray(row * size, (row + 1) * size), 2 * row * size);
      joined.set(source.subarray(from, from + size), (2 * row + 1) * size);
    }
    return joined;
  }

  private sheet(
    images: Float32Array | Uint8Array,
    count: number,
    columns: number,
    range: readonly [number, number],
  ): Picture {
    return paintSheet(images, { count, ...this.design.image }, { range, columns });
  }

  async close(): Promise<void> {
    await Promise.all([this.sampler.session.close(), this.reconstructor?.session.close()]);
  }
}

/** A session, and the states that are inputs of its model. */
interface Loaded {
  readonly session: LoadedModel;
  readonly inputs: readonly string[];
}

async function load(model: Model, open: OpenModel): Promise<Loaded> {
  const session = await open(encodeModel(model), "the sampler");
  return { session, inputs: model.graph.inputs.map(({ name }) => name) };
}

async function draw({ session, inputs }: Loaded, feeds: Tensors, state: Tensors): Promise<Float32Array> {
  const weights = [...state].filter(([name]) => inputs.includes(name));
  return floatsIn(await session.run(new Map([...feeds, ...weights])), "image");
}
