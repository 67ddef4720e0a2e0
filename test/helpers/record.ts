import { type ImageShape, pixelsOf } from "../../src/recipes/index.js";
import { fillNormal, randomStream } from "../../src/tensors/random.js";
import { floatsIn, type Tensor } from "../../src/tensors/tensor.js";
import { initialState } from "../../src/training/state.js";
import { someBytes } from "./dataset.js";
import { placesOf, tinyArtifacts, tinyDesign, tinyImage, tinySettings } from "./design.js";
import { discriminatorOf, generatorOf, VanillaGan } from "./reference.js";

/** The tensors of a record. Tests may change them. */
export type Tensors = Map<string, Tensor>;

const float32 = (shape: readonly number[], data: Float32Array<ArrayBuffer>): Tensor => ({
  dtype: "float32",
  shape,
  data,
});

function rows(values: ArrayLike<number>, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (_, column) => values[row * width + column]),
  );
}

/** A trajectory of the recipe vanilla, small by default, recorded by the second implementation in float64. */
export function recordTrajectory({
  steps,
  batch,
  seed,
  image = tinyImage,
  width = tinySettings.width,
}: {
  steps: number;
  batch: number;
  seed: number;
  image?: ImageShape;
  width?: number;
}): Tensors {
  const { latent } = tinySettings;
  const pixels = pixelsOf(image);
  const design = tinyDesign({ width }, image);
  const places = placesOf(tinyArtifacts(design));
  const start = initialState(design, seed);
  const flat = (network: string) => floatsIn(start, `${network}/parameters`);
  const gan = new VanillaGan(
    generatorOf([latent, width, width, pixels], flat("generator")),
    discriminatorOf([pixels, width, width, 1], flat("discriminator")),
    tinySettings,
  );

  const record: Tensors = new Map();
  const keep = (prefix: string, from: (network: "generator" | "discriminator") => ArrayLike<number>) => {
    for (const { name, shape, offset, size } of places) {
      const network = name.startsWith("generator.") ? "generator" : "discriminator";
      const values = Float32Array.from(from(network)).subarray(offset, offset + size);
      record.set(`${prefix}.${name}`, float32(shape, values));
    }
  };
  keep("init", flat);

  const noise = (name: string) => {
    const data = new Float32Array(steps * batch * latent);
    fillNormal(randomStream(seed, name), data);
    record.set(name, float32([steps, batch, latent], data));
    return rows(data, latent);
  };
  const x = someBytes(steps * batch * pixels);
  record.set("x", { dtype: "uint8", shape: [steps, batch, pixels], data: x });
  const [images, zD, zG] = [rows(x, pixels), noise("z_d"), noise("z_g")];

  const metrics = Array.from({ length: steps }, (_, step) => {
    const ofStep = (all: number[][]) => all.slice(step * batch, (step + 1) * batch);
    return gan.step(ofStep(images), ofStep(zD), ofStep(zG));
  });
  for (const name of ["d_loss", "real_score", "fake_score", "g_loss"] as const) {
    const data = Float64Array.from(metrics, (line) => line[name]);
    record.set(name, { dtype: "float64", shape: [steps], data });
  }
  keep("final", (network) => gan[network].parameters);
  return record;
}
