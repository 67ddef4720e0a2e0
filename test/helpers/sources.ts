import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../src", import.meta.url));

/** One `import` or `export … from` of a file. */
export interface Import {
  /** A file of ours, relative to src/, or otherwise the name of a package or a module of Node. */
  readonly target: string;
  readonly ours: boolean;
  readonly kind: "static" | "type" | "dynamic";
}

export interface Source {
  /** Relative to src/, e.g. `graph/value.ts`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** All files in src/. */
export const sources: ReadonlyMap<string, Source> = new Map(
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => path.split(sep).join("/"))
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return [path, { path, text, imports: importsIn(text, path) }];
    }),
);

function importsIn(text: string, path: string): Import[] {
  // A statement extends from its keyword at the start of a line to the quoted name. The code is formatted by biome.
  const statements = text.matchAll(/^(?:import|export)(\s+type)?\s(?:[^;"]*?\sfrom\s+)?"([^"]+)";/gm);
  const calls = text.matchAll(/(typeof\s+)?\bimport\("([^"]+)"\)/g);
  return [
    ...Array.from(statements, ([, type, name]) => resolved(name, path, type ? "type" : "static")),
    ...Array.from(calls, ([, type, name]) => resolved(name, path, type ? "type" : "dynamic")),
  ];
}

function resolved(name: string, from: string, kind: Import["kind"]): Import {
  if (!name.startsWith(".")) return { target: name, ours: false, kind };
  const file = join(root, dirname(from), name.replace(/\.js$/, ".ts"));
  return { target: relative(root, file).split(sep).join("/"), ours: true, kind };
}

/** Everything that is loaded immediately with a file: our files and the packages that they name, including the file. */
export function loadedWith(path: string): Set<string> {
  const loaded = new Set<string>();
  const visit = (target: string) => {
    if (loaded.has(target)) return;
    loaded.add(target);
    for (const { target: next, kind } of sources.get(target)?.imports ?? []) {
      if (kind === "static") visit(next);
    }
  };
  visit(path);
  return loaded;
}
