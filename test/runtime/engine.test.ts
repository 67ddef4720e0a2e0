import { Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { StatefulSession } from "../../src/runtime/engine.js";

/** A tensor on a GPU, played: what was done with it. */
function onGpu(value: number) {
  const done: string[] = [];
  const data = Float32Array.of(value);
  const tensor = {
    ...{ type: "float32", dims: [1], location: "gpu-buffer" as "gpu-buffer" | "cpu" },
    get data() {
      if (tensor.location === "gpu-buffer") throw new Error("is on the GPU");
      return data;
    },
    async getData(release: boolean) {
      done.push(release ? "moved" : "copied");
      tensor.location = "cpu";
      return data;
    },
    dispose: () => void done.push("disposed"),
  };
  return { tensor, done };
}

test("state stays on the GPU between calls, is read only when asked for, and leaves nothing behind", async () => {
  const made: ReturnType<typeof onGpu>[] = [];
  const fed: unknown[] = [];
  const session = new StatefulSession(
    {
      outputNames: ["next/w", "loss"],
      async run(feeds) {
        fed.push(feeds.w);
        made.push(onGpu(made.length + 1));
        const loss = new Tensor("float32", [0.5], [1]);
        return { "next/w": made[made.length - 1].tensor as unknown as Tensor, loss };
      },
      release: async () => {},
    },
    Tensor,
  );
  await session.setState(new Map([["w", { dtype: "float32", shape: [1], data: Float32Array.of(0) }]]));
  for (let i = 0; i < 3; i++) await session.consume(new Map());
  expect(fed.slice(1)).toEqual([made[0].tensor, made[1].tensor]);
  expect(made.map(({ done }) => done)).toEqual([["disposed"], ["disposed"], []]);

  expect((await session.getState()).get("w")).toEqual({
    dtype: "float32",
    shape: [1],
    data: Float32Array.of(3),
  });
  expect(made[2].done).toEqual(["moved"]);
  await session.consume(new Map());
  await session.close();
  expect(made.map(({ done }) => done)).toEqual([["disposed"], ["disposed"], ["moved"], ["disposed"]]);
});
