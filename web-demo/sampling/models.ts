import { GanOnnxError, messageOf } from "../../src/error.js";
import { describeAny } from "../../src/export/any-generator.js";
import { type GeneratorFile, noGenerator } from "../../src/export/description.js";
import { withClassWeights } from "../../src/onnx/class-weights.js";
import type { PageProvider } from "../runtime/page-provider.js";
import type { GeneratorWorker } from "./generator-worker.js";
import { type Words, wordsOf } from "./words.js";

/** The generator that the page draws with. */
export interface ShownModel {
  /** What the worker knows it by. */
  readonly number: number;
  readonly name: string;
  readonly bytes: number;
  readonly generator: GeneratorFile;
  /** Its classes can be mixed: it is told a weight for each. */
  readonly mixes: boolean;
  readonly words: Words;
}

/** The models that came with the page, the first one to open with. */
export async function shippedModels(): Promise<string[]> {
  const list = await (await fetched("models/index.json")).text();
  try {
    return JSON.parse(list);
  } catch (cause) {
    // Some hosts answer every path with the page itself.
    const what = "the server answers with something else";
    throw new GanOnnxError({ what, where: "models/index.json", fix: "copy all files of the page", cause });
  }
}

/** The bytes of a model that came with the page. */
export async function shippedModel(name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetched(`models/${encodeURIComponent(name)}`)).arrayBuffer());
}

async function fetched(path: string): Promise<Response> {
  const response = await fetch(path);
  if (response.ok) return response;
  const what = `the server answers ${response.status}`;
  throw new GanOnnxError({ what, where: path, fix: "copy all files of the page to the server" });
}

/**
 * Hand a file to the worker that draws.
 *
 * @throws GanOnnxError when it is not a generator, or cannot be run.
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

/** What the first bytes of some files say that are no models. */
const KINDS: readonly (readonly [what: string, bytes: string])[] = [
  ["a PNG picture", "89504e47"],
  ["a JPEG picture", "ffd8ff"],
  ["a GIF picture", "47494638"],
  ["a PDF document", "25504446"],
  ["a ZIP archive (or PyTorch's own format)", "504b0304"],
  ["compressed by gzip", "1f8b"],
];

/** What a file says of itself as a generator, in words for people where it is none. */
function readFile(bytes: Uint8Array, name: string): GeneratorFile {
  const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const [kind] = KINDS.find(([, magic]) => start.startsWith(magic)) ?? [];
  const fix = "open a generator in ONNX form (.onnx)";
  if (kind) throw new GanOnnxError({ what: `is ${kind}, not a model`, where: name, fix });
  return describeAny(bytes, name);
}

/** What a model is, in a line: where it comes from, what goes in and out. */
export function captionOf({ bytes, generator, words }: ShownModel): string {
  const { latent, classes, image, metadata } = generator;
  const { recipe, epoch, data, seed } = metadata;
  // A folder of data is named in full; here its last part is enough.
  const source = data?.split(/[/\\]/).at(-1);
  const passes = epoch === "1" ? "1 epoch" : `${epoch} epochs`;
  const origin = recipe ? [`${recipe}, ${passes} of ${source}, seed ${seed}`] : [];
  const choice = `one of ${classes} ${words.typed ? "digits" : "classes"}`;
  const inputs = classes === undefined ? `${latent} numbers` : `${latent} numbers and ${choice}`;
  const size = bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  return [...origin, `${inputs} in, ${image.width} × ${image.height} pixels out`, size].join(" · ");
}
