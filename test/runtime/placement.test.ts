import { expect, test } from "vitest";
import {
  cpuNodesWarning,
  operatorCounts,
  type PlacedNode,
  placementOf,
} from "../../src/runtime/placement.node.js";
import { tinyArtifacts } from "../helpers/design.js";

const node = (operator: string, provider: string, inBody = false): PlacedNode => {
  return { operator, name: operator, outputs: 1, provider, inBody };
};

test("the nodes of a model are listed with those in the body of its loop", async () => {
  const nodes = await placementOf(tinyArtifacts().train, { ep: "cpu" }, "train.onnx");
  expect(new Set(nodes.map(({ provider }) => provider))).toEqual(new Set(["cpu"]));
  const body = nodes.filter(({ inBody }) => inBody);
  expect(body.length).toBeGreaterThan(nodes.length / 2);
  expect(body.map(({ operator }) => operator)).toEqual(expect.arrayContaining(["Gather", "Gemm", "Tanh"]));
  expect(nodes.filter(({ operator }) => operator === "Loop")).toMatchObject([
    { name: "Loop", provider: "cpu", inBody: false },
  ]);
});

test("what is no model is refused, naming it and the runtime's reason", async () => {
  await expect(placementOf(Uint8Array.of(1, 2, 3), { ep: "cpu" }, "noise.onnx")).rejects.toThrow(
    /^noise\.onnx: the execution provider cpu cannot load it \(.*protobuf.*\); name an ONNX model/i,
  );
});

test("operators are counted, the most frequent first", () => {
  const nodes = ["Mul", "Add", "Gemm", "Add"].map((operator) => node(operator, "cpu"));
  expect(operatorCounts(nodes)).toBe("Add 2, Gemm 1, Mul 1");
});

test("the warning names what the CPU runs, and what of it in every step", () => {
  const nodes = [node("Loop", "cpu"), node("Sign", "cpu", true), node("Add", "cuda", true)];
  expect(cpuNodesWarning(nodes, { ep: "cuda" })).toBe(
    "of 3 nodes the CPU runs 2 that cuda does not take: Loop 1, Sign 1; in every step: Sign 1",
  );
  expect(cpuNodesWarning(nodes.slice(0, 1), { ep: "cuda" })).toMatch(/: Loop 1; in every step: none$/);
  expect(cpuNodesWarning(nodes.slice(2), { ep: "cuda" })).toBeUndefined();
  expect(cpuNodesWarning(nodes, { ep: "cpu" })).toBeUndefined();
});
