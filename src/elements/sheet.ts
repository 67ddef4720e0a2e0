/**
 * Import this file to define the custom element `<gan-onnx-sheet src="generator.onnx" seed="3">`. It draws with
 * onnxruntime-web, which must be installed beside this package: `npm i onnxruntime-web`.
 *
 * @module gan-onnx/web/sheet
 */
import { StatefulSession } from "../runtime/engine.js";
import { defineSheetElement } from "./sheet-element.js";

defineSheetElement(async (model) => {
  // Load onnxruntime-web only when something is drawn.
  const { InferenceSession, Tensor } = await import("onnxruntime-web/wasm");
  return new StatefulSession(await InferenceSession.create(model), Tensor);
});
