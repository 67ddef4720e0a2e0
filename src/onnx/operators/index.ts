import type { Rules } from "../call.js";
import { activations } from "./activations.js";
import { attentions } from "./attention.js";
import { elementwise } from "./elementwise.js";
import { generators } from "./generators.js";
import { indexing } from "./indexing.js";
import { layers } from "./layers.js";
import { normalization } from "./normalization.js";
import { reductions } from "./reductions.js";
import { sequences } from "./sequences.js";
import { shapes } from "./shapes.js";

export type Operators = Rules;

/** The rules of all supported operators: https://onnx.ai/onnx/operators/ */
export const operators: Operators = {
  ...elementwise,
  ...activations,
  ...layers,
  ...normalization,
  ...reductions,
  ...shapes,
  ...generators,
  ...indexing,
  ...attentions,
  ...sequences,
};
