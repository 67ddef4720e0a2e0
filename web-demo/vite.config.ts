import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Put the generators of `models/` beside the page, with the list that it chooses from. */
function shippedModels(): Plugin {
  const folder = here("../models/");
  return {
    name: "shipped-models",
    generateBundle() {
      const files = readdirSync(folder).filter((file) => file.endsWith(".onnx") && file !== "judge.onnx");
      // The page opens with the first one.
      files.sort(
        (a, b) => Number(b === "generator.onnx") - Number(a === "generator.onnx") || a.localeCompare(b),
      );
      for (const file of files) {
        this.emitFile({ type: "asset", fileName: `models/${file}`, source: readFileSync(folder + file) });
      }
      this.emitFile({ type: "asset", fileName: "models/index.json", source: JSON.stringify(files) });
    },
  };
}

/**
 * `import { address, size } from "file?gzip"`: the address of a gzipped copy, and its size. Some static hosts refuse files as large as ONNX
 * Runtime's for WebGPU, and not all compress what they send. The ending is no known one, so that none unpacks it.
 */
function gzipped(): Plugin {
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

/** What the page of a run is told where nothing serves one: none. `gan-onnx serve --run` answers in its place. */
function noRun(): Plugin {
  return {
    name: "no-run",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "run.json", source: "null" });
    },
  };
}

const plugins = () => [gzipped()];

export default defineConfig({
  root: here("."),
  // Relative addresses: the page works from any sub-path.
  base: "./",
  plugins: [shippedModels(), noRun(), ...plugins()],
  // ONNX Runtime's loader as a file of its own: its threads start from that file.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "production"] },
  worker: { format: "es", plugins },
  build: {
    outDir: here("../dist/web-demo"),
    emptyOutDir: true,
    rolldownOptions: { input: [here("index.html"), here("run.html")] },
    target: "es2022",
    // Nothing inline: the content security policy of `gan-onnx serve` knows files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
});
