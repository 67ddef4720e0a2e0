/** `gan-onnx-sheet.js`: the custom element for any page, without a bundler. Copy it together with `assets/`. */
import { defineSheetElement } from "../src/elements/sheet-element.js";
import { openOn } from "./runtime/onnxruntime.js";

defineSheetElement((model) => openOn("wasm", model));
