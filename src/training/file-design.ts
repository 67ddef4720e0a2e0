import { GanOnnxError, setting } from "../error.js";
import { type FileNetwork, fileNetwork } from "../networks/file-network.js";
import { declarationsOf, type Network, type Role, type RoleNetwork } from "../networks/index.js";
import { decodeModel } from "../onnx/index.js";
import type { ExternalData } from "../onnx/tensors-in.js";
import { type Design, designOf, type ImageShape, type RecipeName } from "../recipes/index.js";
import { tensorName } from "./names.js";

/** An ONNX file that replaces a network of a recipe. */
export interface GivenFile {
  /** Its path, for messages. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Reads weights that are stored in other files. */
  readonly externalData?: ExternalData;
}

export interface NetworkFile extends GivenFile {
  readonly network: FileNetwork;
}

/** A design, and notes about how its networks were read. */
export interface Designed {
  readonly design: Design;
  /** The networks that come from files. */
  readonly files: ReadonlyMap<string, NetworkFile>;
  /** One line each, with the file. */
  readonly notes: readonly string[];
}

/** What a design is made from. */
export interface DesignParts {
  readonly recipe: RecipeName;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly image: ImageShape;
  /** The files that replace networks, by network. */
  readonly files: ReadonlyMap<string, GivenFile>;
  /** Draw new weights instead of using those of the files. */
  readonly fresh?: boolean;
  /** Patterns of parameters that are not trained. `*` matches any characters. */
  readonly freeze?: readonly string[];
}

/**
 * The design of a recipe with networks from files and frozen parameters. It is the same on the command line and in a
 * browser.
 *
 * @throws {@link GanOnnxError} when a file cannot be read or does not match, the recipe does not have a network, or no
 * parameter matches a pattern.
 */
export function designWithFiles({
  recipe,
  settings,
  image,
  files,
  fresh,
  freeze = [],
}: DesignParts): Designed {
  const asked = new Set<string>();
  const models = new Map(
    [...files].map(([name, file]) => {
      const { path, bytes, externalData } = file;
      return [name, { file, model: decodeModel(bytes, { name: path, externalData }) }] as const;
    }),
  );
  const used = new Map<string, NetworkFile>();
  const replace = (name: string, role: Role): RoleNetwork | undefined => {
    asked.add(name);
    const found = models.get(name);
    if (!found) return undefined;
    const network = fileNetwork(name, found.model, role, { source: found.file.path, fresh });
    used.set(name, { ...found.file, network });
    return network;
  };
  const design = designOf(recipe, settings, image, replace);
  for (const name of files.keys()) {
    if (asked.has(name)) continue;
    throw new GanOnnxError({
      what: `a file cannot take the place of the network ${name} of the recipe ${recipe}`,
      where: setting("network"),
      fix: `name one of ${[...asked].join(", ")}`,
      kind: "usage",
    });
  }
  const notes = [...used.values()].flatMap(({ path, network }) =>
    network.notes.map((note) => `${path}: ${note}`),
  );
  return { design: frozen(design, freeze), files: used, notes };
}

/** Freeze the parameters of a design that match a pattern. `*` matches any characters. */
function frozen(design: Design, patterns: readonly string[]): Design {
  if (patterns.length === 0) return design;
  const tests = patterns.map((pattern) => ({ pattern, matches: matcher(pattern) }));
  const networks = Object.entries(design.networks).map(([name, network]): [string, Network] => {
    const isFrozen = (parameter: string) => tests.some(({ matches }) => matches(tensorName(name, parameter)));
    return [name, { ...network, isFrozen }];
  });
  const names = Object.entries(design.networks).flatMap(([name, network]) =>
    declarationsOf(network).parameters.map((parameter) => tensorName(name, parameter.name)),
  );
  for (const { pattern, matches } of tests) {
    if (names.some(matches)) continue;
    throw new GanOnnxError({
      what: `no parameter matches ${JSON.stringify(pattern)}`,
      where: setting("freeze"),
      fix: `choose among ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}`,
      kind: "usage",
    });
  }
  return { ...design, networks: Object.fromEntries(networks) };
}

function matcher(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`);
  return (name) => expression.test(name);
}
