import { add, input, type Value } from "../../src/graph/index.js";
import type { Optimizer } from "../../src/recipes/optimizers/index.js";
import type { Schedule } from "../../src/recipes/schedules.js";
import { evaluate, type Feeds } from "./run.js";

type Pieces = readonly (readonly number[])[];

/** The parameters of a network in pieces after each step, computed by ONNX Runtime from the gradients of each step. */
export async function optimized(
  { optimizer, schedule }: { readonly optimizer: Optimizer; readonly schedule?: Schedule },
  start: Pieces,
  gradients: readonly Pieces[],
): Promise<Pieces[]> {
  const [step, steps] = [input("step", "float32", []), input("steps", "float32", [])];
  const factor = schedule?.factor(step, steps) ?? 1;
  const given = start.map(({ length }, i) => input(`g${i}`, "float32", [length]));
  const outputs: Record<string, Value> = { "next/step": add(step, 1) };
  const state: Record<string, readonly number[]> = { step: [0], steps: [gradients.length] };
  const inputs = new Map<string, Value>();
  for (const [i, { length }] of start.entries()) {
    const slots: Record<string, Value> = {};
    const nameOf: Record<string, string> = {};
    for (const [slot, shape] of Object.entries(optimizer.slots(length))) {
      // A scalar slot is shared by all pieces.
      const name = shape.length > 0 ? `${slot}${i}` : slot;
      inputs.set(name, inputs.get(name) ?? input(name, "float32", shape));
      slots[slot] = inputs.get(name)!;
      nameOf[slot] = name;
      state[name] = Array<number>(shape[0] ?? 1).fill(0);
    }
    state[`p${i}`] = start[i];
    const piece = { parameters: input(`p${i}`, "float32", [length]), slots };
    const next = optimizer.update(given[i], piece, { factor, gradients: given });
    outputs[`next/p${i}`] = next.parameters;
    for (const [slot, value] of Object.entries(next.slots)) outputs[`next/${nameOf[slot]}`] ??= value;
  }
  const path: Pieces[] = [];
  for (const each of gradients) {
    const feeds: Feeds = { ...state, ...Object.fromEntries(each.map((g, i) => [`g${i}`, g])) };
    const results = await evaluate(outputs, feeds);
    for (const [name, { data }] of Object.entries(results)) {
      state[name.slice("next/".length)] = Array.from(data, Number);
    }
    path.push(start.map((_, i) => state[`p${i}`]));
  }
  return path;
}
