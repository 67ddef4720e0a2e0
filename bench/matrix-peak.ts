import { build, constant, gemm, input, loop, sum } from "../src/graph/index.js";
import { encodeModel } from "../src/onnx/index.js";
import { Session, type SessionPlace } from "../src/runtime/session.node.js";
import { fillUniform, randomStream } from "../src/tensors/random.js";
import { tensorsOf } from "../src/tensors/tensor.js";
import type { Entrant } from "./contestant.js";

const SIZE = 1024;
const PRODUCTS = 16;

/** The time of multiply-adds in large square products, where ONNX Runtime is fastest. */
export function matrixPeak(work: number, place: SessionPlace, report: (gflops: number) => void): Entrant {
  return {
    name: "its multiply-adds at matrix peak",
    async open() {
      const session = await Session.open(products(), { ...place, cpuNodes: true }, "the matrix products");
      const data = new Float32Array(SIZE * SIZE);
      fillUniform(randomStream(0, "peak"), data);
      await session.setState(tensorsOf({ x: { dtype: "float32", shape: [SIZE, SIZE], data } }));
      const count = { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(PRODUCTS)) } as const;
      return {
        name: "its multiply-adds at matrix peak",
        async round() {
          const start = performance.now();
          await session.run(tensorsOf({ count }));
          const ms = (performance.now() - start) / (PRODUCTS * SIZE ** 3);
          report(2e-6 / ms);
          return { cost: ms * work };
        },
        close: () => session.close(),
      };
    },
  };
}

/** x ← x·W, repeatedly. The numbers of W have variance 1/n, so that the numbers of x neither grow nor vanish. */
function products(): Uint8Array {
  const scale = 2 * Math.sqrt(3 / SIZE);
  const numbers = fillUniform(randomStream(0, "weights"), new Float32Array(SIZE * SIZE));
  const weights = constant(
    "float32",
    [SIZE, SIZE],
    numbers.map((u) => (u - 0.5) * scale),
  );
  const [count, x] = [input("count", "int64", []), input("x", "float32", [SIZE, SIZE])];
  const { state } = loop(count, "products", { x }, (_, current) => ({
    state: { x: gemm(current.x, weights) },
    collected: {},
  }));
  const about = {
    name: "products",
    doc: "Large matrix products.",
    producer: { name: "bench", version: "1" },
  };
  return encodeModel(build(about, { inputs: [count, x], outputs: { total: sum(state.x) } }));
}
