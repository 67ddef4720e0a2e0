import { GanOnnxError } from "../error.js";
import { formatShape, sameShape } from "./dims.js";
import { apply } from "./operator.js";
import { captures } from "./paths.js";
import type { Operator } from "./value.js";
import { input, scalar, type Value, type ValueType } from "./value.js";

/** The results of one iteration: the state for the next one, and values that are kept for every iteration. */
export interface Iteration {
  readonly state: Readonly<Record<string, Value>>;
  readonly collected: Readonly<Record<string, Value>>;
}

/**
 * Run `body` `count` times. Each iteration gets the state of the previous one.
 *
 * The body may read any outer value. Values that do not depend on the iteration are computed once, outside the loop.
 * https://onnx.ai/onnx/operators/onnx__Loop.html
 *
 * @param count the number of iterations, an int64 scalar.
 * @param iterations the symbol of that number in the shapes of the result.
 * @param state the initial state, by name. Its types must not change.
 * @returns the final state, and each collected value with a first axis of extent `iterations`.
 */
export function loop(
  count: Value,
  iterations: string,
  state: Readonly<Record<string, Value>>,
  body: (iteration: Value, state: Readonly<Record<string, Value>>) => Iteration,
): Iteration {
  const names = Object.keys(state);
  const iteration = input("loop/iteration", "int64", []);
  const goOn = input("loop/go_on", "bool", []);
  const current = mapRecord(state, (value, name) => input(`current/${name}`, value.dtype, value.shape));
  const { state: next, collected } = body(iteration, current);
  for (const name of names) checkState(name, state[name], next[name]);

  const inputs = [iteration, goOn, ...Object.values(current)];
  // Only the count ends the loop. Passing the condition through would need a node, which WebGPU places on the CPU.
  const outputs: Record<string, Value> = { "loop/continue": scalar(1, "bool") };
  for (const name of names) outputs[`updated/${name}`] = next[name];
  for (const [name, value] of Object.entries(collected)) outputs[`step/${name}`] = value;
  const operator = loopOperator([
    ...Object.values(state).map(({ dtype, shape }) => ({ dtype, shape })),
    ...Object.values(collected).map(({ dtype, shape }) => ({ dtype, shape: [iterations, ...shape] })),
  ]);
  const results = apply(
    operator,
    [count, ...Object.values(state)],
    {},
    { body: { inputs, outputs, captured: captures(inputs, Object.values(outputs)) } },
  );
  const byName = (keys: readonly string[], from: number) =>
    Object.fromEntries(keys.map((key, i) => [key, results[from + i]]));
  return { state: byName(names, 0), collected: byName(Object.keys(collected), names.length) };
}

/** An operator with a graph inside. It is used only around whole training steps, so it is never differentiated. */
function loopOperator(types: readonly ValueType[]): Operator {
  return {
    type: "Loop",
    attributes: {},
    infer: () => types,
    // The second input is an optional condition. It is absent: only the count ends the loop.
    written: ([count, ...state]) => [count, "", ...state],
    vjp: () => {
      throw new GanOnnxError({
        what: "has no gradient",
        where: "Loop",
        fix: "call gradients() inside the loop's body",
      });
    },
  };
}

/** The same keys with mapped values. */
function mapRecord<A, B>(
  record: Readonly<Record<string, A>>,
  map: (value: A, key: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}

function checkState(name: string, before: Value, after: Value | undefined): void {
  if (after?.dtype === before.dtype && sameShape(after.shape, before.shape)) return;
  const found = after ? `${after.dtype} ${formatShape(after.shape)}` : "nothing";
  throw new GanOnnxError({
    what: `the state ${name} is ${before.dtype} ${formatShape(before.shape)} before an iteration and ${found} after it`,
    where: "Loop",
    fix: "return every state with the type that it came with",
  });
}
