import type { Value } from "../../graph/index.js";
import * as graph from "../../graph/index.js";
import type { Call, Rules } from "../call.js";

/** Attention of transformers, in ONNX since opset 23. */
export const attentions: Rules = { Attention: attention };

/** softmax(Q·Kᵀ·scale + mask)·V for each head. https://onnx.ai/onnx/operators/onnx__Attention.html */
function attention(call: Call): readonly Value[] {
  const [q3, k3, v3] = [0, 1, 2].map(call.input);
  const flat = q3.shape.length === 3;
  const heads = (x: Value, name: string) => (flat ? apart(x, call.required(name, "int")) : x);
  const q = heads(q3, "q_num_heads");
  const newKeys = heads(k3, "kv_num_heads");
  const newValues = heads(v3, "kv_num_heads");
  const [pastKeys, pastValues] = [call.optional(4), call.optional(5)];
  if (call.optional(6)) call.fail("lengths of sequences (nonpad_kv_seqlen) are not supported", "use a mask");
  const keys = pastKeys ? graph.concat([pastKeys, newKeys], 2) : newKeys;
  const values = pastValues ? graph.concat([pastValues, newValues], 2) : newValues;

  const scale = call.attribute("scale", "float") ?? 1 / Math.sqrt(Number(q.shape[3]));
  const k = sharedBy(call, keys, q);
  const scores = graph.mul(graph.matmul(q, graph.transpose(k, [0, 1, 3, 2])), scale);
  const masked = withMask(call, scores, pastKeys);
  const softcap = call.float("softcap", 0);
  const capped = softcap > 0 ? graph.mul(graph.tanh(graph.div(masked, softcap)), softcap) : masked;
  const weights = graph.softmax(capped, -1);
  const y = graph.matmul(weights, sharedBy(call, values, q));
  const shown = [scores, masked, capped, weights][call.int("qk_matmul_output_mode", 0)];
  return [flat ? together(y) : y, keys, values, shown];
}

/** Reshape [batch, length, heads · size] to [batch, heads, length, size]. */
function apart(x: Value, heads: number): Value {
  const [batch, length, size] = x.shape;
  return graph.transpose(graph.reshape(x, [batch, length, heads, Number(size) / heads]), [0, 2, 1, 3]);
}

function together(x: Value): Value {
  const [batch, heads, length, size] = x.shape;
  const turned = graph.transpose(x, [0, 2, 1, 3]);
  return graph.reshape(turned, [batch, length, Number(heads) * Number(size)]);
}

/** Repeat keys or values for the query heads, if there are fewer of them: each serves several query heads. */
function sharedBy(call: Call, x: Value, q: Value): Value {
  const [heads, queryHeads] = [x.shape[1], q.shape[1]];
  if (heads === queryHeads) return x;
  const times = Number(queryHeads) / Number(heads);
  if (!Number.isInteger(times)) call.fail(`${heads} heads cannot serve ${queryHeads}`);
  return graph.repeatEach(x, [1, times, 1, 1]);
}

function withMask(call: Call, scores: Value, past: Value | undefined): Value {
  const mask = call.optional(3);
  const open = graph.scalar(0, scores.dtype);
  const closed = graph.scalar(Number.NEGATIVE_INFINITY, scores.dtype);
  const biases: Value[] = [];
  if (mask) biases.push(mask.dtype === "bool" ? graph.where(mask, open, closed) : mask);
  if (call.int("is_causal", 0) === 1) {
    const rank = scores.shape.length;
    const [row, column] = [graph.positions(scores, rank - 2), graph.positions(scores, rank - 1)];
    const before = past ? graph.reshape(graph.extentOf(past, 2), []) : 0;
    biases.push(graph.where(graph.lessOrEqual(column, graph.add(row, before)), open, closed));
  }
  return biases.reduce((sum, bias) => graph.add(sum, bias), scores);
}
