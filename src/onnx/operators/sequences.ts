import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import { sequenceInput } from "../../graph/value.js";
import type { Call, Rules } from "../call.js";

// PyTorch's exporter without optimization writes chunk, split and unbind as sequences. Their length is known, so a
// sequence is read as the list of its parts, and no sequence nodes are written.

const parts = new WeakMap<Value, readonly Value[]>();

export const sequences: Rules = {
  SequenceConstruct: (call) => sequenceOf(call.values.map((_, i) => call.input(i))),
  SplitToSequence: (call) => sequenceOf(split(call)),
  SequenceAt: (call) => {
    const [list, position] = [listIn(call), call.numbers(1, "position")?.[0] ?? 0];
    return list.at(position) ?? call.fail(`the sequence has ${list.length} parts, and none at ${position}`);
  },
  SequenceLength: (call) => graph.scalar(listIn(call).length, "int64"),
  ConcatFromSequence: (call) => {
    const list = listIn(call);
    const stack = call.int("new_axis", 0) === 1;
    const axis = call.required("axis", "int");
    if (!stack) return graph.concat(list, axis);
    const at = axis < 0 ? axis + list[0].shape.length + 1 : axis;
    return graph.concat(
      list.map((part) => graph.unsqueeze(part, [at])),
      at,
    );
  },
};

function sequenceOf(list: readonly Value[]): Value {
  const sequence = sequenceInput("sequence", list[0]?.dtype ?? "float32");
  parts.set(sequence, list);
  return sequence;
}

function listIn(call: Call): readonly Value[] {
  const list = call.values[0] && parts.get(call.values[0]);
  return list && list.length > 0 ? list : call.fail("its sequence is empty or not known");
}

/** https://onnx.ai/onnx/operators/onnx__SplitToSequence.html */
function split(call: Call): readonly Value[] {
  const x = call.input(0);
  const axis = call.axis(x, 0);
  const extent = x.shape[axis];
  const given = call.numbers(1, "split");
  if (given && call.input(1).shape.length === 1) return graph.split(x, axis, given);
  if (typeof extent !== "number") return call.fail(`the length ${extent} of axis ${axis} is not known`);
  const size = given?.[0] ?? 1;
  if (!(size >= 1)) call.fail(`the parts have the length ${size}`);
  const whole = Array<number>(Math.floor(extent / size)).fill(size);
  const all = graph.split(x, axis, extent % size === 0 ? whole : [...whole, extent % size]);
  const squeezed = !given && call.int("keepdims", 1) === 0;
  return squeezed ? all.map((part) => graph.squeeze(part, [axis])) : all;
}
