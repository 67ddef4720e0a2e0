import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tree } from "./helpers/cli.js";
import { modelBytes, tensor } from "./helpers/make-model.js";
import { loadedWith, sources } from "./helpers/sources.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const manifest: {
  version: string;
  files: string[];
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  exports: Record<string, string | { types: string; default: string }>;
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const run = promisify(execFile);

/** An empty project with the packed package in it, as npm would put it there: real files, and links to what it names. */
let project: string;
let tarball: string;
const packed = (path: string) => join(project, "node_modules/gan-onnx", path);

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "gan-onnx-package-"));
  // The build is `npm test`'s.
  execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", project], {
    cwd: root,
    stdio: "pipe",
    timeout: 100_000,
  });
  tarball = join(project, `gan-onnx-${manifest.version}.tgz`);
  const modules = join(project, "node_modules");
  mkdirSync(modules);
  execFileSync("tar", ["-xzf", tarball, "-C", modules]);
  cpSync(join(modules, "package"), join(modules, "gan-onnx"), { recursive: true });
  await rm(join(modules, "package"), { recursive: true });
  for (const name of [...Object.keys(manifest.dependencies), "@types/node"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
});

afterAll(() => rm(project, { recursive: true, force: true }));

/** The code of a language in README, block by block. */
function blocksOf(language: string): string[] {
  const text = readFileSync(packed("README.md"), "utf8");
  return Array.from(text.matchAll(/^```(\w*)\n(.*?)^```$/gms))
    .filter(([, name]) => name === language)
    .map(([, , code]) => code);
}

/** Compile files of the project with settings stricter than most, and run nothing. */
async function compile(names: readonly string[], options: Record<string, unknown>): Promise<string> {
  const compilerOptions = {
    target: "es2023",
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    outDir: "out",
    types: ["node"],
    ...options,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: names }));
  return run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project]).then(
    () => "",
    ({ stdout }: { stdout: string }) => stdout,
  );
}

describe("the packed package", () => {
  test("holds what is built from the sources, the page, and the shipped models once", () => {
    const files = tree(packed("."))
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => /\.\w+$|LICENSE/.test(path));
    const compiled = [...sources.keys()].filter((path) => !path.endsWith(".d.ts"));
    const built = compiled.flatMap((path) => [
      `dist/${path.replace(/ts$/, "js")}`,
      `dist/${path.replace(/ts$/, "d.ts")}`,
    ]);
    const others = files.filter((path) => !built.includes(path) && !path.startsWith("dist/web-demo/assets/"));
    expect(built.filter((path) => !files.includes(path))).toEqual([]);
    expect(others.filter((path) => !/^docs\/[\w-]+\.(md|png)$/.test(path))).toEqual(
      [
        "LICENSE",
        "README.md",
        ...(existsSync(join(root, "CHANGELOG.md")) ? ["CHANGELOG.md"] : []),
        "dist/bin.cjs",
        "dist/onnx/onnx-proto-types.d.ts",
        "dist/onnx/onnx-proto.d.ts",
        "dist/onnx/onnx-proto.js",
        "dist/web-demo/embed.html",
        "dist/web-demo/gan-onnx-sheet.js",
        "dist/web-demo/index.html",
        "dist/web-demo/models/conditional.onnx",
        "dist/web-demo/models/dcgan.onnx",
        "dist/web-demo/models/first-sheet.png",
        "dist/web-demo/models/generator.onnx",
        "dist/web-demo/models/index.json",
        "dist/web-demo/run.html",
        "dist/web-demo/run.json",
        "dist/web-demo/runs.html",
        "dist/web-demo/runs.json",
        "dist/web-demo/service-worker.js",
        "dist/web-demo/version.json",
        "models/generator.onnx",
        "models/judge.onnx",
        "models/trajectory.safetensors",
        "package.json",
      ].sort(),
    );
  });

  test("carries no path of the machine that built it", () => {
    const named = tree(packed("dist")).filter(
      (path) =>
        /\.(js|html|json|onnx|d\.ts)$/.test(path) && readFileSync(packed(`dist/${path}`)).includes(root),
    );
    expect(named).toEqual([]);
  });

  test("asks for no package that its files do not name, and for no other", () => {
    const named = new Set(
      [...sources.values()].flatMap(({ imports }) =>
        imports
          .filter(({ ours, kind, target }) => !ours && kind !== "type" && !/^(node:|#)/.test(target))
          .map(({ target }) => target.match(/^(@[^/]+\/)?[^/]+/)?.[0]),
      ),
    );
    // Bundled by scripts/finish-build.mjs, with protobufjs in its place.
    named.delete("onnx-proto");
    named.add("protobufjs");
    const { dependencies, peerDependencies } = manifest;
    expect([...named].sort()).toEqual(Object.keys({ ...dependencies, ...peerDependencies }).sort());
  });

  test("starts as a command", async () => {
    const { stdout } = await run(process.execPath, [packed("dist/bin.cjs"), "--version"]);
    expect(stdout.trim()).toBe(manifest.version);
  });

  test.each(["gan-onnx", "gan-onnx/graph", "gan-onnx/web"])(
    "%s can be imported and required",
    async (name) => {
      const esm = `import * as all from "${name}"; console.log(Object.keys(all).length)`;
      const cjs = `console.log(Object.keys(require("${name}")).filter((key) => key !== "__esModule").length)`;
      const at = { cwd: project };
      const [imported, required] = await Promise.all([
        run(process.execPath, ["--input-type=module", "-e", esm], at),
        run(process.execPath, ["--input-type=commonjs", "--no-warnings", "-e", cjs], at),
      ]);
      expect(Number(imported.stdout)).toBeGreaterThan(10);
      expect(required.stdout).toBe(imported.stdout);
    },
  );

  test("what publint and are-the-types-wrong say: nothing", async () => {
    const bin = (name: string) => join(root, "node_modules/.bin", name);
    const publint = await run(bin("publint"), ["--strict", packed(".")]);
    expect(publint.stdout).toMatch(/All good!/);
    const attw = [tarball, "--exclude-entrypoints", "./models/*.onnx", "--format", "json"];
    const { stdout } = await run(bin("attw"), [...attw, "--ignore-rules", "cjs-resolves-to-esm"]);
    // Node 20.19 loads ES modules by require(), which this rule does not know yet.
    const { CJSResolvesToESM: _, ...problems } = JSON.parse(stdout).problems ?? {};
    expect(problems).toEqual({});
  });
});

test("docs/reliability.md lists the licence of each package that an install brings", () => {
  const {
    packages,
  }: { packages: Record<string, { license?: string; dev?: boolean; devOptional?: boolean }> } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  );
  const byLicence = new Map<string, Set<string>>();
  for (const [path, { license, dev, devOptional }] of Object.entries(packages)) {
    if (path === "" || dev || devOptional) continue;
    // A package of before npm had the field: its file LICENSE.md says it.
    const licence =
      license ?? (/MIT/.exec(readFileSync(join(root, path, "LICENSE.md"), "utf8"))?.[0] as string);
    const names = byLicence.get(licence) ?? new Set();
    byLicence.set(licence, names.add(path.replace(/^.*node_modules\//, "")));
  }
  const rows = Array.from(
    byLicence,
    ([licence, names]) => `| ${licence} | ${[...names].sort().join(", ")} |`,
  );
  const page = readFileSync(join(root, "docs/reliability.md"), "utf8");
  const listed = page
    .split("\n")
    .filter((line) => rows.some((row) => row.split("|")[1] === line.split("|")[1]));
  expect(listed.sort()).toEqual(rows.sort());
});

test("knip finds no file and no dependency that nothing uses, and none that is not listed", async () => {
  const args = ["--include", "files,dependencies,unlisted,unresolved,binaries", "--no-progress"];
  const { stdout } = await run(join(root, "node_modules/.bin/knip"), args, { cwd: root }).catch(
    ({ stdout }: { stdout: string }) => ({ stdout }),
  );
  expect(stdout.trim()).toBe("");
});

describe("README's code", () => {
  test("compiles under strict settings, in ES modules and in CommonJS", async () => {
    const blocks = blocksOf("ts");
    expect(blocks.length).toBeGreaterThan(1);
    const names = blocks.map((code, i) => {
      writeFileSync(join(project, `block${i}.ts`), code);
      return `block${i}.ts`;
    });
    expect(await compile(names, { module: "nodenext" })).toBe("");
    const all =
      'import all = require("gan-onnx"); import graph = require("gan-onnx/graph"); import web = require("gan-onnx/web");';
    writeFileSync(
      join(project, "common.cts"),
      `${all}\nexport = [all.train, graph.build, web.readGenerator];\n`,
    );
    expect(await compile(["common.cts"], { module: "nodenext" })).toBe("");
  });

  test("works when pasted: the loss falls; the generator draws", async () => {
    for (const [i, code] of blocksOf("ts").entries()) writeFileSync(join(project, `block${i}.ts`), code);
    cpSync(packed("dist/web-demo/models/generator.onnx"), join(project, "generator.onnx"));
    writeFileSync(
      join(project, "model.onnx"),
      modelBytes({
        nodes: [{ type: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
        initializers: [tensor("w", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])],
      }),
    );
    const names = blocksOf("ts").map((_, i) => `block${i}.ts`);
    await compile(names, { module: "nodenext" });
    const outputs: string[] = [];
    for (const name of names) {
      const file = join("out", name.replace(/ts$/, "js"));
      outputs.push((await run(process.execPath, [file], { cwd: project })).stdout);
    }
    const losses = Array.from(outputs[0].matchAll(/loss ([\d.e-]+)/g), ([, loss]) => Number(loss));
    expect(losses).toHaveLength(20);
    expect(losses[19]).toBeLessThan(losses[0] / 10);
  });
});

describe("a browser's bundle", () => {
  /** Bundle code as `vite build` does for a page; returns what the browser loads at once. */
  async function bundled(code: string): Promise<string> {
    writeFileSync(join(project, "main.js"), code);
    writeFileSync(join(project, "index.html"), '<script type="module" src="/main.js"></script>');
    const result = await build({
      root: project,
      configFile: false,
      logLevel: "silent",
      build: {
        write: false,
        rolldownOptions: {
          onwarn: (warning) => warnings.push(warning.message),
          // A busy machine is no fault of the bundle.
          checks: { bundlerTimings: false },
        },
      },
    });
    if (Array.isArray(result) || !("output" in result)) throw new Error("vite gave no single bundle");
    return result.output.map((file) => (file.type === "chunk" ? file.code : "")).join("\n");
  }
  const warnings: string[] = [];

  test("of gan-onnx/graph is under 60 KB with gzip, and has nothing of Node", async () => {
    const code = await bundled('import * as graph from "gan-onnx/graph"; globalThis.graph = graph;');
    expect(warnings).toEqual([]);
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(60 * 1024);
    expect(code).not.toMatch(/__vite-browser-external|from"node:/);
  });

  test("of README's first example builds", async () => {
    const code = blocksOf("ts")[0].replace('"onnxruntime-node"', '"onnxruntime-web"');
    symlinkSync(join(root, "node_modules/onnxruntime-web"), join(project, "node_modules/onnxruntime-web"));
    expect(await bundled(code)).toContain("One step of gradient descent.");
  });

  test("of gan-onnx/web builds without Node", async () => {
    const code = await bundled('import * as web from "gan-onnx/web"; globalThis.web = web;');
    expect(warnings).toEqual([]);
    expect(code).not.toMatch(/__vite-browser-external|from"node:/);
  });
});

test.each(["graph.ts", "web.ts", "elements/sheet.ts"])("%s needs nothing of Node", (path) => {
  const loaded = [...loadedWith(path)];
  expect(loaded.length).toBeGreaterThan(10);
  expect(loaded.filter((name) => /^node:|\.node\.ts$|^onnxruntime-node$/.test(name))).toEqual([]);
});

test.each(["index.ts", "graph.ts", "web.ts"])("%s holds re-exports and nothing else", (path) => {
  const code = sources
    .get(path)
    ?.text.replace(/\/\*.*?\*\//gs, "")
    .replace(/export (type )?(\*|\{[^}]*\}) from "[^"]+";/g, "");
  expect(code?.trim()).toBe("");
});
