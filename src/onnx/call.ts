import { GanOnnxError, messageOf, text } from "../error.js";
import { normalizeAxis } from "../graph/ops/infer.js";
import type { Value } from "../graph/value.js";
import { numbersIn } from "./content.js";
import type { AttributeValues, FileGraph, FileNode } from "./message.js";

type Kind = keyof AttributeValues;

/** The context of a node for its rule, and how to read the graphs inside the node. */
export interface Surroundings {
  /** The version of the node's operator set. */
  readonly opset: number;
  /** The place for messages: file, node, operator, opset. */
  readonly where: string;
  /** Whether batch normalization works in training mode. */
  readonly training: boolean;
  /** Read a graph inside the node. It can use the values around it. */
  run(graph: FileGraph): readonly Value[];
  /** Add a note for the user. */
  note(text: string): void;
  /** Record the next value of a running statistic in training. */
  record(statistic: Value, next: Value): void;
}

/** A node of a file, with its inputs as values. Its methods check what they read. */
export type Call = ReturnType<typeof callOf>;

export function callOf(node: FileNode, values: readonly (Value | undefined)[], around: Surroundings) {
  const fail = (what: string, fix = "export the model in another way", cause?: unknown): never => {
    throw new GanOnnxError({ what, where: around.where, fix, cause });
  };

  const optional = (i: number): Value | undefined => values[i];

  const input = (i: number): Value => {
    const value = values[i] ?? fail(`input ${i} is missing`);
    return value.sequence ? fail(`input ${i} is a sequence`) : value;
  };

  function attribute<K extends Kind>(name: string, kind: K): AttributeValues[K] | undefined {
    const found = node.attributes.get(name);
    if (!found) return undefined;
    if (found.kind !== kind) fail(`the attribute ${name} is ${found.kind}, not ${kind}`);
    return found.value as AttributeValues[K];
  }

  /** A required attribute. */
  function required<K extends Kind>(name: string, kind: K): AttributeValues[K] {
    return attribute(name, kind) ?? fail(`the attribute ${name} is missing`);
  }

  /** The numbers of an optional input. They must be known; `name` is for the message. */
  function numbers(i: number, name: string): readonly number[] | undefined {
    const value = values[i];
    if (!value) return undefined;
    return (
      numbersIn(value) ??
      fail(`input ${i} (${name}) is computed, and its numbers are not known`, "make it a constant")
    );
  }

  /** Numbers that are an attribute before opset `since` and an input from then on. */
  function numbersOf(name: string, i: number, since: number): readonly number[] | undefined {
    return around.opset >= since ? numbers(i, name) : attribute(name, "ints");
  }

  function axis(of: Value, standard: number | undefined, name = "axis"): number {
    const given = attribute(name, "int") ?? standard ?? fail(`the attribute ${name} is missing`);
    return normalizeAxis(around.where, given, of.shape.length);
  }

  return {
    ...around,
    node,
    values,
    optional,
    input,
    int: (name: string, standard: number) => attribute(name, "int") ?? standard,
    float: (name: string, standard: number) => attribute(name, "float") ?? standard,
    string: (name: string, standard: string) => attribute(name, "string") ?? standard,
    ints: (name: string) => attribute(name, "ints"),
    attribute,
    required,
    numbers,
    numbersOf,
    axis,
    fail,
  };
}

/** A rule returns the outputs of a node, in order. */
export type Rule = (call: Call) => Value | readonly Value[];

/** The rules of some operators, by ONNX's names. */
export type Rules = Readonly<Record<string, Rule>>;

/** The error of a node, from anything that was thrown while reading it. It names the innermost node. */
export function nodeError(where: string, cause: unknown): GanOnnxError {
  if (cause instanceof GanOnnxError) {
    const { parts } = cause;
    if (String(parts.where).includes(": node ")) return cause;
    return new GanOnnxError({ what: text`${parts.where}: ${parts.what}`, where, fix: parts.fix, cause });
  }
  return new GanOnnxError({ what: messageOf(cause), where, fix: "export the model in another way", cause });
}
