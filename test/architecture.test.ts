import { describe, expect, test } from "vitest";
import { loadedWith, sources } from "./helpers/sources.js";

/**
 * The rooms of the house from the ground up, with what each may import, types included. Whatever a room imports
 * stands above it in this list, so imports point downwards and there is no way round in a circle.
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  "error.ts": [],
  "version.ts": [],
  "json.ts": [],
  "files.ts": ["error.ts"],
  graph: ["error.ts"],
  networks: ["error.ts", "graph"],
  training: ["error.ts", "version.ts", "json.ts", "files.ts", "graph", "networks"],
  export: ["error.ts", "version.ts", "json.ts", "files.ts", "graph", "networks", "training"],
  evaluation: ["error.ts", "version.ts", "files.ts", "graph", "networks", "training"],
  serving: ["error.ts", "json.ts", "training"],
  "config.ts": ["error.ts", "files.ts", "training"],
  "index.ts": ["error.ts", "graph", "networks", "training", "export", "evaluation", "config.ts"],
  commands: [
    "error.ts",
    "version.ts",
    "files.ts",
    "graph",
    "networks",
    "training",
    "export",
    "evaluation",
    "serving",
    "config.ts",
  ],
  "cli.ts": ["error.ts", "version.ts", "config.ts", "commands"],
};

const roomOf = (path: string) => path.split("/", 1)[0];
const files = [...sources.values()];

/** Lines of all files that match, but for those that the line before excuses, with its reason. */
function linesWith(pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split("\n");
    return lines.flatMap((line, i) => {
      const excused = /biome-ignore \S+: \S+/.test(lines[i - 1] ?? "");
      return pattern.test(line) && !excused ? [`${path}:${i + 1}: ${line.trim()}`] : [];
    });
  });
}

describe("imports", () => {
  test("are found: every kind, and none that leads nowhere", () => {
    const all = files.flatMap(({ imports }) => imports);
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(["static", "type", "dynamic"]));
    expect(all.filter(({ ours, target }) => ours && !sources.has(target))).toEqual([]);
    for (const { path, text, imports } of files) {
      const named = text.match(/\bfrom "|\bimport\("|^import "/gm)?.length ?? 0;
      expect(imports, path).toHaveLength(named);
    }
  });

  test("go from room to room as allowed", () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports
        .filter(({ ours, target }) => ours && roomOf(target) !== roomOf(path))
        .filter(({ target }) => !rooms[roomOf(path)]?.includes(roomOf(target)))
        .map(({ target }) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("are allowed downwards only", () => {
    const names = Object.keys(rooms);
    const upwards = Object.entries(rooms).flatMap(([room, below]) =>
      below
        .filter((other) => names.indexOf(other) >= names.indexOf(room))
        .map((other) => `${room} -> ${other}`),
    );
    expect(upwards).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(files.map(({ path }) => roomOf(path))));
  });

  test("of the drawn digits lead to nothing of Node's: a browser can draw them", () => {
    const loaded = [...loadedWith("training/data/drawn.ts")];
    expect(loaded).toContain("training/random.ts");
    const packages = loaded.filter((target) => !sources.has(target));
    expect(packages.filter((name) => !name.startsWith("pure-rand/"))).toEqual([]);
  });

  test.each(["training/latents.ts", "training/sheet.ts"])(
    "of %s, which the page uses, lead to nothing of Node's",
    (path) => {
      const packages = [...loadedWith(path)].filter((target) => !sources.has(target));
      expect(packages.filter((name) => !name.startsWith("pure-rand/"))).toEqual([]);
    },
  );

  test.each([
    "training/trainer.ts",
    "training/training-model.ts",
    "training/checkpoint.ts",
    "training/data/idx.ts",
    "export/generator.ts",
    "export/description.ts",
  ])("of %s lead to Node for the version alone, which the page is built with: it trains, too", (path) => {
    const packages = [...loadedWith(path)].filter((target) => !sources.has(target));
    const allowed = /^(pure-rand\/.*|zod|onnx-proto)$/;
    const others = packages.filter((name) => !allowed.test(name));
    const guilty = [...loadedWith(path)].filter((file) =>
      sources.get(file)?.imports.some(({ target, kind }) => kind === "static" && others.includes(target)),
    );
    expect(guilty.filter((file) => file !== "version.ts")).toEqual([]);
  });

  test.each(["jimp", "onnx-proto", "onnxruntime-node", "sirv"])(
    "of the command line do not load %s at once",
    (name) => {
      expect([...loadedWith("cli.ts")]).not.toContain(name);
      expect(files.some(({ imports }) => imports.some(({ target }) => target === name))).toBe(true);
    },
  );

  test("keep protobuf in one file", () => {
    const users = files.filter(({ imports }) => imports.some(({ target }) => target === "onnx-proto"));
    expect(users.map(({ path }) => path)).toEqual(["graph/onnx.ts"]);
  });
});

describe("src/", () => {
  test.each([
    ["any", /[:<(,|&]\s*any\b(?!\w)|\bas any\b/],
    ["a default export", /^export default\b/],
    ["an error of the compiler switched off", /@ts-(ignore|expect-error|nocheck)/],
  ])("does without %s", (_, pattern) => {
    expect(linesWith(pattern)).toEqual([]);
  });

  test("has no file of more than 300 lines", () => {
    const long = files.filter(({ text }) => text.trimEnd().split("\n").length > 300);
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});
