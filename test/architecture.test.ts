import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { loadedWith, sources } from "./helpers/sources.js";

/**
 * The rooms of the house from the ground up, with what each may import, types included. Whatever a room imports
 * stands above it in this list, so imports point downwards and there is no way round in a circle.
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  "error.ts": [],
  "version.ts": [],
  "suggest.ts": [],
  "wanted.ts": [],
  "json.ts": [],
  "checksum.ts": ["error.ts"],
  "files.node.ts": ["error.ts"],
  tensors: ["error.ts", "wanted.ts"],
  graph: ["error.ts", "tensors"],
  onnx: ["error.ts", "files.node.ts", "tensors", "graph"],
  networks: ["error.ts", "tensors", "graph", "onnx"],
  recipes: ["error.ts", "tensors", "graph", "networks"],
  runtime: ["error.ts", "version.ts", "files.node.ts", "tensors", "graph", "onnx"],
  data: ["error.ts", "checksum.ts", "json.ts", "suggest.ts", "files.node.ts", "tensors", "runtime"],
  training: [
    "error.ts",
    "wanted.ts",
    "checksum.ts",
    "version.ts",
    "files.node.ts",
    "tensors",
    "graph",
    "onnx",
    "networks",
    "recipes",
    "data",
    "runtime",
  ],
  "ort-training": [
    "error.ts",
    "checksum.ts",
    "version.ts",
    "files.node.ts",
    "tensors",
    "graph",
    "onnx",
    "networks",
    "recipes",
    "runtime",
    "training",
  ],
  export: [
    "error.ts",
    "checksum.ts",
    "version.ts",
    "json.ts",
    "files.node.ts",
    "tensors",
    "graph",
    "onnx",
    "networks",
    "recipes",
    "data",
    "runtime",
    "training",
  ],
  elements: ["error.ts", "json.ts", "tensors", "onnx", "recipes", "data", "runtime", "export"],
  evaluation: [
    "error.ts",
    "version.ts",
    "files.node.ts",
    "tensors",
    "graph",
    "onnx",
    "networks",
    "recipes",
    "data",
    "runtime",
    "training",
    "export",
  ],
  runs: [
    "error.ts",
    "checksum.ts",
    "version.ts",
    "json.ts",
    "files.node.ts",
    "tensors",
    "graph",
    "onnx",
    "networks",
    "recipes",
    "data",
    "runtime",
    "training",
    "ort-training",
    "export",
    "evaluation",
  ],
  serving: ["error.ts", "json.ts", "runs"],
  "config.ts": ["error.ts", "suggest.ts", "wanted.ts", "recipes", "runs"],
  sweeps: ["error.ts", "suggest.ts", "wanted.ts", "files.node.ts", "tensors", "runs", "config.ts"],
  commands: [
    "error.ts",
    "suggest.ts",
    "checksum.ts",
    "version.ts",
    "json.ts",
    "files.node.ts",
    "tensors",
    "graph",
    "onnx",
    "networks",
    "recipes",
    "data",
    "runtime",
    "training",
    "ort-training",
    "runs",
    "export",
    "evaluation",
    "serving",
    "config.ts",
    "sweeps",
  ],
  "graph.ts": ["error.ts", "tensors", "graph", "onnx"],
  "web.ts": [
    "error.ts",
    "tensors",
    "graph",
    "onnx",
    "networks",
    "recipes",
    "data",
    "runtime",
    "training",
    "export",
  ],
  "index.ts": [
    "graph.ts",
    "tensors",
    "graph",
    "onnx",
    "networks",
    "recipes",
    "data",
    "runtime",
    "training",
    "ort-training",
    "runs",
    "export",
    "evaluation",
    "config.ts",
  ],
  "cli.ts": ["error.ts", "version.ts", "config.ts", "commands"],
};

/** Rooms that need Node as a whole. Elsewhere a file that needs Node is named `*.node.ts`. */
const nodeRooms = [
  "ort-training",
  "runs",
  "serving",
  "sweeps",
  "commands",
  "config.ts",
  "index.ts",
  "cli.ts",
];

const needsNode = (path: string) => nodeRooms.includes(roomOf(path)) || path.endsWith(".node.ts");

/** Modules of Node, and packages that run nowhere else. */
const isNodeModule = (name: string) =>
  name.startsWith("node:") || ["onnxruntime-node", "@jimp", "sirv", "yargs"].includes(name.split("/", 1)[0]);

/** The page's files by their paths below web-demo/, but for what builds it. */
const page = new Map(
  readdirSync(new URL("../web-demo/", import.meta.url), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !["vite.config.ts", "build-plugins.ts"].includes(name))
    .map((name) => [name, readFileSync(new URL(`../web-demo/${name}`, import.meta.url), "utf8")]),
);

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

  test("lead to Node only from files that say so by their name or room", () => {
    const wrong = files
      .filter(({ path }) => !needsNode(path))
      .flatMap(({ path, imports }) =>
        imports
          .filter(
            ({ kind, target, ours }) =>
              kind === "static" && (ours ? needsNode(target) : isNodeModule(target)),
          )
          .map(({ target }) => `${path} imports ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test("of every *.node.ts lead to Node: the name is true", () => {
    const named = files.filter(({ path }) => path.endsWith(".node.ts"));
    const untrue = named.filter(
      ({ imports }) =>
        !imports.some(
          ({ kind, target, ours }) => kind !== "type" && (ours ? needsNode(target) : isNodeModule(target)),
        ),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(untrue.map(({ path }) => path)).toEqual([]);
  });

  test("of the page lead to files that need no Node", () => {
    const used = [...page].flatMap(([name, text]) =>
      Array.from(
        text.matchAll(/^import (type )?[^;]*?from "((?:\.\.\/)+src\/[^"]+)\.js";/gm),
        ([, type, target]) => ({
          type,
          name,
          target: `${normalize(join(dirname(name), target)).slice(7)}.ts`,
        }),
      ),
    );
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter(({ target }) => !sources.has(target))).toEqual([]);
    expect(used.filter(({ type, target }) => type === undefined && needsNode(target))).toEqual([]);
  });

  test.each(["@jimp/core", "onnx-proto", "onnxruntime-node", "sirv"])(
    "of the command line do not load %s at once",
    (name) => {
      expect([...loadedWith("cli.ts")]).not.toContain(name);
      expect(files.some(({ imports }) => imports.some(({ target }) => target === name))).toBe(true);
    },
  );

  test("keep protobuf in one room, but for the events of TensorBoard", () => {
    const users = files.filter(({ imports }) =>
      imports.some(({ target }) => /^(onnx-proto|protobufjs)/.test(target)),
    );
    const others = users.filter(({ path }) => roomOf(path) !== "onnx").map(({ path }) => path);
    expect(others).toEqual(["runs/tensorboard.ts"]);
  });

  test("run in no circle, types included", () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, way: readonly string[]) => {
      if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(" -> "));
      if (done.has(path) || way.includes(path)) return;
      for (const { target, ours } of sources.get(path)?.imports ?? [])
        if (ours) visit(target, [...way, path]);
      done.add(path);
    };
    for (const { path } of files) visit(path, []);
    expect(circles).toEqual([]);
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

  test("speaks of flags in the rooms of the command line alone", () => {
    const commandLine = ["commands/", "cli.ts", "config.ts", "error.ts"];
    const foreign = /var\(--|[;{]--ink:|\b(npm|pip|vulkaninfo)\b.*--|"--input-type=commonjs"|"--expose-gc"/;
    const flags = linesWith(/(^|[^\w-])--[a-z]/).filter(
      (line) => !commandLine.some((room) => line.startsWith(room)) && !foreign.test(line),
    );
    expect(flags).toEqual([]);
  });

  test("has no file of more than 300 lines", () => {
    const long = files.filter(({ text }) => text.trimEnd().split("\n").length > 300);
    expect(long.map(({ path }) => path)).toEqual([]);
  });
});

describe("web-demo/", () => {
  test("has no file of more than 300 lines", () => {
    const long = [...page].filter(([, text]) => text.trimEnd().split("\n").length > 300);
    expect(page.size).toBeGreaterThan(15);
    expect(long.map(([name]) => name)).toEqual([]);
  });
});
