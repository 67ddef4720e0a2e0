import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { gzipped, inlineStyles, noRun, offline, shippedModels } from "./build-plugins.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const plugins = () => [gzipped()];

export default defineConfig({
  root: here("."),
  // Relative URLs: the page works at any path.
  base: "./",
  plugins: [shippedModels(), noRun(), ...plugins(), inlineStyles(), offline()],
  // Keep ONNX Runtime's loader as a separate file: its threads start from that file.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "production"] },
  worker: { format: "es", plugins },
  build: {
    outDir: here("../dist/web-demo"),
    emptyOutDir: true,
    rolldownOptions: {
      input: ["index.html", "run.html", "runs.html", "embed.html", "gan-onnx-sheet.ts"].map(here),
      output: {
        // Give the custom element a fixed file name, for use in any page.
        entryFileNames: ({ name }) => (name === "gan-onnx-sheet" ? "[name].js" : "assets/[name]-[hash].js"),
      },
    },
    target: "es2022",
    // Inline no data: the content security policy of `gan-onnx serve` allows only files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
  },
});
