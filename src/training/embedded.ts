import { z } from "zod";
import { GanOnnxError } from "../error.js";
import { type RecipeName, recipeNames, recipes } from "../recipes/index.js";
import { formats } from "../version.js";
import type { GivenFile } from "./file-design.js";

// A manifest contains the network files and the given initial weights of its training, so that train.onnx and
// manifest.json are enough to train in a browser: the network files hold their weights, and the graph to export.

const CHUNK = 2 ** 15;

export function base64Of(bytes: Uint8Array): string {
  const pieces = Array.from({ length: Math.ceil(bytes.length / CHUNK) }, (_, i) =>
    String.fromCharCode(...bytes.subarray(i * CHUNK, (i + 1) * CHUNK)),
  );
  return btoa(pieces.join(""));
}

const bytesIn = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** The last part of a path. */
const fileIn = (path: string) => path.split(/[\\/]/).findLast((part) => part !== "") ?? path;

/** The files of a manifest, by network: the name of each file, and its bytes in base64. */
export function embedded(files: ReadonlyMap<string, Pick<GivenFile, "path" | "bytes">>) {
  const entries = [...files].map(([network, { path, bytes }]) => {
    return [network, { file: fileIn(path), onnx: base64Of(bytes) }];
  });
  return Object.fromEntries(entries) as Readonly<Record<string, { file: string; onnx: string }>>;
}

const schema = z.looseObject({
  format: z.literal(formats.manifest),
  recipe: z.enum(recipeNames),
  configuration: z.looseObject({
    seed: z.number().int().min(0).default(0),
    fresh: z.boolean().optional(),
    freeze: z.array(z.string()).optional(),
    network: z.record(z.string(), z.string()).default({}),
    init: z.string().optional(),
  }),
  image: z.object({
    channels: z.number().int().min(1),
    height: z.number().int().min(1),
    width: z.number().int().min(1),
  }),
  inputs: z.array(z.looseObject({ name: z.string() })),
  networks: z.record(z.string(), z.object({ file: z.string(), onnx: z.base64() })).default({}),
  start: z.base64().optional(),
  files: z.object({ "train.onnx": z.object({ bytes: z.number(), sha256: z.string() }) }),
});

/** What a manifest says of a training, for a runner. */
export interface ReadManifest {
  readonly recipe: RecipeName;
  /** The settings of the recipe. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly image: { readonly channels: number; readonly height: number; readonly width: number };
  /** The names of all inputs of train.onnx. */
  readonly inputs: readonly string[];
  readonly networks: ReadonlyMap<string, GivenFile>;
  readonly fresh?: boolean;
  readonly freeze?: readonly string[];
  /** The initial weights, see `decodeStart`, and the name of their file. They follow from the seed otherwise. */
  readonly start?: { readonly bytes: Uint8Array<ArrayBuffer>; readonly file: string };
  /** The size and SHA-256 of train.onnx. */
  readonly train: { readonly bytes: number; readonly sha256: string };
}

/**
 * Read a manifest.
 *
 * @throws {@link GanOnnxError} naming the file when it is not a manifest of build-graphs.
 */
export function readManifest(text: string, where: string): ReadManifest {
  const fix = "use the manifest.json that build-graphs wrote";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new GanOnnxError({ what: "is not JSON", where, fix, cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new GanOnnxError({
      what: `${path.join(".") || "the content"} is not valid: ${message}`,
      where,
      fix,
    });
  }
  const { recipe, configuration, image, inputs, networks, start, files } = parsed.data;
  const { seed, fresh, freeze, network, init, ...others } = configuration;
  const absent = Object.keys(network).find((name) => !Object.hasOwn(networks, name));
  if (absent !== undefined) {
    const what = `does not contain the network ${absent}, whose weights are in other files`;
    throw new GanOnnxError({
      what,
      where,
      fix: "save the model with its weights inside, and build the graph again",
    });
  }
  if (init !== undefined && start === undefined) {
    const what = `does not contain the initial weights, which are in ${fileIn(init)}`;
    throw new GanOnnxError({ what, where, fix: "build the graph again with this version" });
  }
  const own = Object.entries(others).filter(([key]) => key in recipes[recipe].settings.shape);
  return {
    recipe,
    settings: Object.fromEntries(own),
    seed,
    image,
    inputs: inputs.map(({ name }) => name),
    networks: new Map(
      Object.entries(networks).map(([name, { file, onnx }]) => [name, { path: file, bytes: bytesIn(onnx) }]),
    ),
    fresh,
    freeze,
    start: start === undefined ? undefined : { bytes: bytesIn(start), file: fileIn(init ?? "a file") },
    train: files["train.onnx"],
  };
}
