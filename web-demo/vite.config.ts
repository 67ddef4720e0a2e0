import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { gzipped, noRun, offline, shippedModels } from "./build-plugins.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const plugins = () => [gzipped()];

export default defineConfig({
  root: here("."),
  // Relative addresses: the page works from any sub-path.
  base: "./",
  plugins: [shippedModels(), noRun(), ...plugins(), offline()],
  // ONNX Runtime's loader as a file of its own: its threads start from that file.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "production"] },
  worker: { format: "es", plugins },
  build: {
    outDir: here("../dist/web-demo"),
    emptyOutDir: true,
    rolldownOptions: { input: [here("index.html"), here("run.html"), here("embed.html")] },
    target: "es2022",
    // Nothing inline: the content security policy of `gan-onnx serve` knows files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
});
