import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { add, build, gemm, input, mul, type Value } from "../../src/graph/index.js";
import { encodeModel } from "../../src/onnx/index.js";
import { Session } from "../../src/runtime/session.node.js";
import { type Tensor, tensorIn, tensorsOf } from "../../src/tensors/tensor.js";
import { about } from "../helpers/run.js";

const x = input("x", "float32", [2]);
const total = input("total", "float32", [2]);
const model = encodeModel(
  build(about, { inputs: [x, total], outputs: { "next/total": add(total, x), twice: mul(x, 2) } }),
);

const floats = (...values: number[]): Tensor => ({
  dtype: "float32",
  shape: [values.length],
  data: Float32Array.from(values),
});
const refusedBy = (where: string, what: string) =>
  expect.objectContaining({
    name: "GanOnnxError",
    message: expect.stringMatching(new RegExp(`^${where}: .*${what}`)),
  });

describe("a session", () => {
  let session: Session;
  beforeAll(async () => {
    session = await Session.open(model, { ep: "cpu", threads: 1 }, "sums.onnx");
  });
  afterAll(() => session.close());

  test("replaces state X by output next/X, run by run, and returns the other outputs", async () => {
    await session.setState(tensorsOf({ total: floats(100, 200) }));
    expect(await session.run(tensorsOf({ x: floats(1, 2) }))).toEqual(tensorsOf({ twice: floats(2, 4) }));
    expect(await session.run(tensorsOf({ x: floats(10, 20) }))).toEqual(tensorsOf({ twice: floats(20, 40) }));
    expect(await session.getState()).toEqual(tensorsOf({ total: floats(111, 222) }));
    await session.setState(tensorsOf({ total: floats(0, 0) }));
    await session.run(tensorsOf({ x: floats(1, 2) }));
    expect(await session.getState()).toEqual(tensorsOf({ total: floats(1, 2) }));
  });

  test("does what it is asked in that order, whether or not it is waited for", async () => {
    await session.setState(tensorsOf({ total: floats(0, 0) }));
    const feeds = [floats(1, 2), floats(10, 20)];
    const [first, between, second, after] = await Promise.all([
      session.consume(tensorsOf({ x: feeds[0] })),
      session.getState(),
      session.consume(tensorsOf({ x: feeds[1] })),
      session.getState(),
    ]);
    expect([first, second]).toEqual([{ twice: floats(2, 4) }, { twice: floats(20, 40) }].map(tensorsOf));
    expect([between, after]).toEqual([{ total: floats(1, 2) }, { total: floats(11, 22) }].map(tensorsOf));
    // They went over to the thread.
    expect(feeds.map(({ data }) => data.length)).toEqual([0, 0]);
  });

  test("answers in the order of the questions", async () => {
    await session.setState(tensorsOf({ total: floats(0, 0) }));
    const answers = [1, 2, 3].map((value) => session.run(tensorsOf({ x: floats(value, 0) })));
    expect((await Promise.all(answers)).map((outputs) => tensorIn(outputs, "twice").data[0])).toEqual([
      2, 4, 6,
    ]);
    expect(await session.getState()).toEqual(tensorsOf({ total: floats(6, 0) }));
  });

  test("takes numbers in memory that threads share", async () => {
    await session.setState(tensorsOf({ total: floats(0, 0) }));
    const data = new Float32Array(new SharedArrayBuffer(8)).fill(3);
    const outputs = await session.run(tensorsOf({ x: { dtype: "float32", shape: [2], data } as Tensor }));
    expect(outputs).toEqual(tensorsOf({ twice: floats(6, 6) }));
  });

  test("takes over tensors that share memory, and refuses what has been taken over before", async () => {
    await session.setState(tensorsOf({ total: floats(0, 0) }));
    const memory = Float32Array.of(1, 2, 3, 4);
    const view = (from: number): Tensor => ({
      dtype: "float32",
      shape: [2],
      data: memory.subarray(from, from + 2),
    });
    const feeds = tensorsOf({ x: view(0), unused: view(2) });
    expect(await session.consume(feeds)).toEqual(tensorsOf({ twice: floats(2, 4) }));
    const again = session.consume(feeds);
    const after = session.run(tensorsOf({ x: floats(10, 20) }));
    await expect(again).rejects.toThrow(refusedBy("sums.onnx", ""));
    expect(await after).toEqual(tensorsOf({ twice: floats(20, 40) }));
    await expect(
      session.run(tensorsOf({ x: floats(1, 2), y: Symbol("no tensor") as never })),
    ).rejects.toThrow(refusedBy("sums.onnx", "could not be cloned"));
    expect(await session.run(tensorsOf({ x: floats(1, 2) }))).toEqual(tensorsOf({ twice: floats(2, 4) }));
  });

  test("says what ONNX Runtime says, in one line with the model's name, and goes on", async () => {
    await session.setState(tensorsOf({ total: floats(5, 6) }));
    await expect(session.run(tensorsOf({ x: floats(1, 2, 3) }))).rejects.toThrow(
      refusedBy("sums.onnx", "dimensions"),
    );
    await expect(session.run(new Map())).rejects.toThrow(refusedBy("sums.onnx", "x"));
    const message = await session.run(tensorsOf({ x: floats(1) })).catch((error: Error) => error.message);
    expect(message).not.toContain("\n");
    expect(await session.getState()).toEqual(tensorsOf({ total: floats(5, 6) }));
    expect(await session.run(tensorsOf({ x: floats(1, 2) }))).toEqual(tensorsOf({ twice: floats(2, 4) }));
  });
});

test("a session that is closed ends the run under way, makes no other, and answers nobody any more", async () => {
  const [a, b] = [input("a", "float32", [700, 700]), input("b", "float32", [700, 700])];
  const slow = Array.from({ length: 6 }).reduce<Value>((y) => gemm(y, b), a);
  const bytes = encodeModel(build(about, { inputs: [a, b], outputs: { y: slow } }));
  const zeros: Tensor = { dtype: "float32", shape: [700, 700], data: new Float32Array(490_000) };
  for (const after of [0, 5, 20, 50]) {
    const closing = await Session.open(bytes, { ep: "cpu", threads: 1 }, "slow.onnx");
    const runs = [1, 2, 3, 4].map(() => closing.run(tensorsOf({ a: zeros, b: zeros })));
    const settled = Promise.allSettled(runs);
    await setTimeout(after);
    await Promise.all([closing.close(), closing.close()]);
    const made = (await settled).map(({ status }) => status);
    expect(made).toEqual(made.toSorted()); // Fulfilled, then rejected.
    expect(made.at(-1)).toBe("rejected");
    await expect(closing.getState()).rejects.toThrow("the session is closed");
  }
});

describe("no session is opened", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("on a provider that is missing: the error names the doctor", async () => {
    vi.stubEnv("CUDA_VISIBLE_DEVICES", "");
    const refused = Session.open(model, { ep: "cuda" }, "sums.onnx");
    await expect(refused).rejects.toThrow(refusedBy("execution provider cuda", "gan-onnx doctor"));
  });

  test("of something that is no model", async () => {
    const refused = Session.open(Uint8Array.of(1, 2, 3), { ep: "cpu" }, "noise.onnx");
    await expect(refused).rejects.toThrow(refusedBy("noise.onnx", "cannot load it"));
  });

  test("on a device that the provider cannot choose", async () => {
    await expect(Session.open(model, { ep: "cpu", device: 1 }, "sums.onnx")).rejects.toThrow(
      "cannot choose a device",
    );
  });
});
