/**
 * Importing this defines the custom element `<gan-onnx-sheet src="generator.onnx" seed="3">`, which draws with
 * onnxruntime-web: `npm i onnxruntime-web` beside this package.
 *
 * @module gan-onnx/web/sheet
 */
import { StatefulSession } from "../runtime/engine.js";
import { defineSheetElement } from "./sheet-element.js";

defineSheetElement(async (model) => {
  // Loaded when there is something to draw.
  const { InferenceSession, Tensor } = await import("onnxruntime-web/wasm");
  return new StatefulSession(await InferenceSession.create(model), Tensor);
});
