import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Plugin } from "vite";
import { encodePng } from "../src/data/png.node.js";
import { readGenerator } from "../src/export/description.js";
import { readSettings } from "./sampling/address.js";
import { feedsOf } from "./sampling/point.js";
import { paintedSheet, plannedSheet } from "./sampling/sheet.js";
import { wordsOf } from "./sampling/words.js";

const models = fileURLToPath(new URL("../models/", import.meta.url));

/** Whether the metadata of a generator contain classes. */
function hasClasses(file: string): boolean {
  return existsSync(file) && readFileSync(file).includes("classes");
}

/** The generators that are shipped with the page. It opens the first one: the best one, if it has classes. */
function shippedFiles(): string[] {
  const files = readdirSync(models).filter((file) => file.endsWith(".onnx") && file !== "judge.onnx");
  const first = hasClasses(`${models}generator.onnx`) ? "generator.onnx" : "conditional.onnx";
  return files.sort((a, b) => Number(b === first) - Number(a === first) || a.localeCompare(b));
}

/** Copy the generators of `models/` to the page, with the list that it shows. */
export function shippedModels(): Plugin {
  return {
    name: "shipped-models",
    async generateBundle() {
      const files = shippedFiles();
      for (const file of files) {
        this.emitFile({ type: "asset", fileName: `models/${file}`, source: readFileSync(models + file) });
      }
      this.emitFile({ type: "asset", fileName: "models/index.json", source: JSON.stringify(files) });
      const source = await firstSheet(files[0]);
      this.emitFile({ type: "asset", fileName: "models/first-sheet.png", source });
    },
  };
}

/** The sheet that the page opens with, as a PNG: shown while ONNX Runtime is downloaded. */
async function firstSheet(file: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(readFileSync(models + file));
  const generator = readGenerator(bytes, file);
  const shown = { generator, words: wordsOf(generator) };
  const plan = plannedSheet(readSettings(""), shown);
  const session = await InferenceSession.create(bytes);
  const feeds = Array.from(feedsOf(plan.points, generator, false), ([name, { dtype, data, shape }]) => {
    return [name, new Tensor(dtype as "float32", data as Float32Array, shape)] as const;
  });
  const { image } = await session.run(Object.fromEntries(feeds));
  await session.release();
  return encodePng(paintedSheet(plan, image.data as Float32Array, shown).picture);
}

/**
 * `import { address, size } from "file?gzip"`: the URL and the size of a gzipped copy. Some static hosts refuse files
 * as large as ONNX Runtime's for WebGPU, and not all compress files. The extension is an unknown one, so no host
 * decompresses it.
 */
export function gzipped(): Plugin {
  const mark = "?gzip";
  return {
    name: "gzipped",
    enforce: "pre",
    async resolveId(source, importer) {
      if (!source.endsWith(mark)) return null;
      const resolved = await this.resolve(source.slice(0, -mark.length), importer);
      return resolved && resolved.id + mark;
    },
    load(id) {
      if (!id.endsWith(mark)) return null;
      const file = id.slice(0, -mark.length);
      const source = gzipSync(readFileSync(file));
      const reference = this.emitFile({ type: "asset", name: `${basename(file)}.zipped`, source });
      return (
        `export const address = import.meta.ROLLUP_FILE_URL_${reference};\n` +
        `export const size = ${source.length};`
      );
    },
  };
}

/** Write the styles of the first page into it: on a slow network each further file is a second later. */
export function inlineStyles(): Plugin {
  return {
    name: "inline-styles",
    enforce: "post",
    generateBundle(_, bundle) {
      const page = bundle["index.html"];
      if (page?.type !== "asset") return;
      page.source = String(page.source).replaceAll(
        /<link rel="stylesheet"[^>]*href="\.\/([^"]+)">/g,
        (_, name) => {
          const file = bundle[name];
          if (file?.type !== "asset") throw new Error(`the build has no ${name}`);
          return `<style>${file.source}</style>`;
        },
      );
    },
  };
}

/** What the pages of runs are told where nothing serves any: none. `gan-onnx serve --run` answers in its place. */
export function noRun(): Plugin {
  return {
    name: "no-run",
    generateBundle() {
      for (const fileName of ["run.json", "runs.json"])
        this.emitFile({ type: "asset", fileName, source: "null" });
    },
  };
}

/**
 * The service worker, which caches the page's files so that it opens offline, and the version of these files. Files
 * that only a GPU needs are cached after they are loaded.
 */
export function offline(): Plugin {
  return {
    name: "offline",
    enforce: "post",
    generateBundle(_, bundle) {
      const hash = createHash("sha256");
      const files: string[] = [];
      for (const [name, file] of Object.entries(bundle).sort(([a], [b]) => a.localeCompare(b))) {
        hash.update(name).update(file.type === "asset" ? file.source : file.code);
        if (!/asyncify|webgpu|^runs?\./.test(name)) files.push(name);
      }
      const version = hash.digest("hex").slice(0, 8);
      files.push("version.json");
      const worker = readFileSync(new URL("./service-worker.js", import.meta.url), "utf8")
        .replace('"VERSION"', JSON.stringify(version))
        .replace('["FILES"]', JSON.stringify(files));
      this.emitFile({ type: "asset", fileName: "service-worker.js", source: worker });
      this.emitFile({ type: "asset", fileName: "version.json", source: JSON.stringify({ version }) });
    },
  };
}
