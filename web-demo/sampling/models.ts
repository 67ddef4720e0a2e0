import { GanOnnxError, messageOf } from "../../src/error.js";
import { type GeneratorFile, noGenerator, readGenerator } from "../../src/export/description.js";
import type { PageProvider } from "../runtime/page-provider.js";
import type { GeneratorWorker } from "./generator-worker.js";

/** The generator that the page draws with. */
export interface OpenModel {
  /** What the engine knows it by. */
  readonly number: number;
  readonly name: string;
  readonly bytes: number;
  readonly generator: GeneratorFile;
}

/** The models that came with the page, the first one to open with. */
export async function shippedModels(): Promise<string[]> {
  return (await fetched("models/index.json")).json();
}

/** The bytes of a model that came with the page. */
export async function shippedModel(name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetched(`models/${encodeURIComponent(name)}`)).arrayBuffer());
}

async function fetched(path: string): Promise<Response> {
  const response = await fetch(path);
  if (response.ok) return response;
  const what = `the server answers ${response.status}`;
  throw new GanOnnxError({ what, where: path, fix: "build the page again with `npm run build:web`" });
}

/**
 * Hand a file to the engine.
 *
 * @throws GanOnnxError when it is no generator that `gan-onnx export` could have written.
 */
export async function openModel(
  engine: GeneratorWorker,
  name: string,
  bytes: Uint8Array,
  provider: PageProvider,
): Promise<OpenModel> {
  const generator = readGenerator(bytes, name);
  const { channels } = generator.image;
  if (channels !== 1 && channels !== 3) {
    throw noGenerator(`has images of ${channels} channels, and a picture has 1 or 3`, name);
  }
  let number: number;
  try {
    number = await engine.open(bytes, generator, provider);
  } catch (cause) {
    const fix = "reload the page, or choose a model that `gan-onnx export` wrote";
    throw new GanOnnxError({ what: `cannot be run (${messageOf(cause)})`, where: name, fix, cause });
  }
  return { number, name, bytes: bytes.length, generator };
}

/** What a model is, in a line: where it comes from, what goes in and out. */
export function captionOf({ bytes, generator }: OpenModel): string {
  const { latent, classes, image, metadata } = generator;
  const { recipe, epoch, data, seed } = metadata;
  // A folder of data is named in full; here its last part is enough.
  const source = data?.split(/[/\\]/).at(-1);
  const origin = recipe ? [`${recipe}, ${epoch} epochs of ${source}, seed ${seed}`] : [];
  const inputs =
    classes === undefined ? `${latent} numbers` : `${latent} numbers and one of ${classes} digits`;
  const size = bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  return [...origin, `${inputs} in, ${image.width} × ${image.height} pixels out`, size].join(" · ");
}
