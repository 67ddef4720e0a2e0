import { GanOnnxError, messageOf } from "../../src/error.js";
import { describeAny } from "../../src/export/any-generator.js";
import { type GeneratorFile, noGenerator } from "../../src/export/description.js";
import { withClassWeights } from "../../src/onnx/class-weights.js";
import { fetchedFile, notTheFile } from "../runtime/fetched-file.js";
import type { PageProvider } from "../runtime/page-provider.js";
import type { GeneratorWorker } from "./generator-worker.js";
import { type Words, wordsOf } from "./words.js";

/** The generator that the page draws with. */
export interface ShownModel {
  /** The number that identifies it in the worker. */
  readonly number: number;
  readonly name: string;
  readonly bytes: number;
  readonly generator: GeneratorFile;
  /** Whether its classes can be mixed: its input is a weight for each class. */
  readonly mixes: boolean;
  readonly words: Words;
}

/** The models that are shipped with the page, the default first. */
export async function shippedModels(): Promise<string[]> {
  const path = "models/index.json";
  const list = await (await fetchedFile(path)).text();
  try {
    return JSON.parse(list);
  } catch {
    throw notTheFile(path);
  }
}

/** The bytes of a model that is shipped with the page. */
export async function shippedModel(name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetchedFile(`models/${encodeURIComponent(name)}`)).arrayBuffer());
}

/**
 * Open a model file in the drawing worker.
 *
 * @throws {@link GanOnnxError} when it is not a generator, or cannot be run.
 */
export async function openModel(
  worker: GeneratorWorker,
  name: string,
  bytes: Uint8Array,
  provider: PageProvider,
): Promise<ShownModel> {
  const { ports, ...generator } = readFile(bytes, name);
  const { channels } = generator.image;
  if (channels !== 1 && channels !== 3) {
    throw noGenerator(`has images of ${channels} channels, and a picture has 1 or 3`, name);
  }
  const { classes } = generator;
  const mixed = classes === undefined ? undefined : withClassWeights(bytes, ports?.label ?? "label", classes);
  const mixes = mixed !== undefined;
  let number: number;
  try {
    number = await worker.open(mixed ?? bytes, { generator, ports, mixes }, provider);
  } catch (cause) {
    const fix = "reload the page, or choose another model";
    throw new GanOnnxError({ what: `cannot be run (${messageOf(cause)})`, where: name, fix, cause });
  }
  return { number, name, bytes: bytes.length, generator, mixes, words: wordsOf(generator) };
}

/** The first bytes of some other kinds of files. */
const KINDS: readonly (readonly [what: string, bytes: string])[] = [
  ["a PNG picture", "89504e47"],
  ["a JPEG picture", "ffd8ff"],
  ["a GIF picture", "47494638"],
  ["a PDF document", "25504446"],
  ["a ZIP archive (or PyTorch's own format)", "504b0304"],
  ["compressed by gzip", "1f8b"],
];

/** Read the description of a generator, with a plain error message for other files. */
function readFile(bytes: Uint8Array, name: string): GeneratorFile {
  const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const [kind] = KINDS.find(([, magic]) => start.startsWith(magic)) ?? [];
  const fix = "open a generator in ONNX form (.onnx)";
  if (kind) throw new GanOnnxError({ what: `is ${kind}, not a model`, where: name, fix });
  return describeAny(bytes, name);
}

/** Describe a model in one line: its origin, inputs and output. */
export function captionOf({ bytes, generator, words }: ShownModel): string {
  const { latent, classes, image, metadata } = generator;
  const { recipe, epoch, data, seed } = metadata;
  // Show only the last part of a folder's path.
  const source = data === "drawn" ? "drawn digits" : data?.split(/[/\\]/).at(-1);
  const passes = epoch === "0" ? "in the first epoch" : epoch === "1" ? "1 epoch" : `${epoch} epochs`;
  const origin = recipe ? [`${recipe}, ${passes} of ${source}, seed ${seed}`] : [];
  const choice = `one of ${classes} ${words.typed ? "digits" : "classes"}`;
  const inputs = classes === undefined ? `${latent} numbers` : `${latent} numbers and ${choice}`;
  const size = bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  return [...origin, `${inputs} in, ${image.width} × ${image.height} pixels out`, size].join(" · ");
}
