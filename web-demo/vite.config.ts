import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Put the generators of `models/` beside the page, with the list that it chooses from. */
function shippedModels(): Plugin {
  const folder = here("../models/");
  return {
    name: "shipped-models",
    generateBundle() {
      const files = readdirSync(folder).filter((file) => file.endsWith(".onnx"));
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

export default defineConfig({
  root: here("."),
  // Relative addresses: the page works from any sub-path.
  base: "./",
  plugins: [shippedModels()],
  // ONNX Runtime's loader as a file of its own: its threads start from that file.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "production"] },
  worker: { format: "es" },
  build: {
    outDir: here("../dist/web-demo"),
    emptyOutDir: true,
    target: "es2022",
    // Nothing inline: the content security policy of `gan-onnx serve` knows files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
});
