import { expect, test } from "vitest";
import { encodeSafetensors } from "../../src/tensors/safetensors.js";
import { floatsIn } from "../../src/tensors/tensor.js";
import { decodeStart, encodeStart } from "../../src/training/start.js";
import { initialState } from "../../src/training/state.js";
import { designed, grey } from "../helpers/recipes.js";

const design = designed("vanilla", { width: 8, depth: 1, latent: 4 }, grey(4));

test("a start holds what differs from the seed's, and gives the whole state back", () => {
  const state = initialState(design, 5);
  const bytes = encodeStart(design, state, 0);
  expect(decodeStart(bytes, "start", design, 0)).toEqual(state);
  // The optimizer's slots are zero in both.
  expect(bytes.length).toBeLessThan(0.5 * encodeSafetensors(state).length);
});

test("a start of another design is refused", () => {
  const other = designed("vanilla", { width: 9, depth: 1, latent: 4 }, grey(4));
  const bytes = encodeStart(other, initialState(other, 5), 0);
  expect(() => decodeStart(bytes, "manifest.json", design, 0)).toThrow(/^manifest\.json: does not fit /);
  const state = initialState(design, 5);
  floatsIn(state, "generator/parameters")[0] = Number.NaN;
  expect(() => decodeStart(encodeStart(design, state, 0), "manifest.json", design, 0)).toThrow(/NaN/);
});
