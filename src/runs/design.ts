import { GanOnnxError, setting } from "../error.js";
import { readBytes } from "../files.node.js";
import type { FileNetwork } from "../networks/file-network.js";
import {
  declarationsOf,
  type Network,
  type Replace,
  type Role,
  type RoleNetwork,
} from "../networks/index.js";
import { type Design, designOf, type ImageShape, type RecipeName } from "../recipes/index.js";
import { tensorName } from "../training/names.js";

/** The parts of a configuration that a design is made from. */
export interface DesignSource {
  readonly run: {
    readonly recipe: RecipeName;
    readonly network?: Readonly<Record<string, string>>;
    readonly fresh?: boolean;
    readonly freeze?: readonly string[];
  };
  readonly recipe: Readonly<Record<string, unknown>>;
}

/** A design, and notes about how its networks were read. */
export interface Designed {
  readonly design: Design;
  /** The networks that come from files. */
  readonly files: ReadonlyMap<string, NetworkFile>;
  /** One line each, with the file. */
  readonly notes: readonly string[];
}

export interface NetworkFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly network: FileNetwork;
}

/**
 * The design of a configuration, with networks from files and frozen parameters.
 *
 * @param locate returns the file of a network if it is not where the configuration says: a run has its own copy.
 * @throws {@link GanOnnxError} when a file cannot be read or does not match, the recipe does not have a network, or no
 * parameter matches a pattern.
 */
export async function designFrom(
  { run, recipe }: DesignSource,
  image: ImageShape,
  locate: (network: string, file: string) => string = (_, file) => file,
): Promise<Designed> {
  const { network: replacements = {}, fresh, freeze = [] } = run;
  const { replace, files, requested } = await fromFiles(replacements, fresh, locate);
  const design = designOf(run.recipe, recipe, image, replace);
  for (const name of Object.keys(replacements)) {
    if (requested.has(name)) continue;
    throw new GanOnnxError({
      what: `a file cannot take the place of the network ${name} of the recipe ${run.recipe}`,
      where: setting("network"),
      fix: `name one of ${[...requested].join(", ")}`,
      kind: "usage",
    });
  }
  const notes = [...files.values()].flatMap(({ path, network }) =>
    network.notes.map((note) => `${path}: ${note}`),
  );
  return { design: frozen(design, freeze), files, notes };
}

interface FromFiles {
  readonly replace: Replace;
  /** Filled when a recipe requests networks, as is `requested` with their names. */
  readonly files: ReadonlyMap<string, NetworkFile>;
  readonly requested: ReadonlySet<string>;
}

async function fromFiles(
  replacements: Readonly<Record<string, string>>,
  fresh: boolean | undefined,
  locate: (network: string, file: string) => string,
): Promise<FromFiles> {
  const [files, requested] = [new Map<string, NetworkFile>(), new Set<string>()];
  if (Object.keys(replacements).length === 0) return { replace: () => undefined, files, requested };
  const { fileNetwork } = await import("../networks/file-network.js");
  const { decodeModel } = await import("../onnx/index.js");
  const { filesBeside } = await import("../onnx/file.node.js");
  const models = new Map(
    await Promise.all(
      Object.entries(replacements).map(async ([name, file]) => {
        const path = locate(name, file);
        const bytes = await readBytes(path, "usage");
        return [
          name,
          { path, bytes, model: decodeModel(bytes, { name: path, externalData: filesBeside(path) }) },
        ] as const;
      }),
    ),
  );
  const replace = (name: string, role: Role): RoleNetwork | undefined => {
    requested.add(name);
    const found = models.get(name);
    if (!found) return undefined;
    const { path, bytes, model } = found;
    const network = fileNetwork(name, model, role, { source: path, fresh });
    files.set(name, { path, bytes, network });
    return network;
  };
  return { replace, files, requested };
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
