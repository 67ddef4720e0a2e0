import { describe, expect, test } from "vitest";
import { checkSeal, crc32, seal, unsealed } from "../src/checksum.js";
import { GanOnnxError } from "../src/error.js";
import { readGenerator } from "../src/export/description.js";
import { build, constant, gemm, input, reshape } from "../src/graph/index.js";
import { encodeModel } from "../src/onnx/index.js";
import { decodeOrtCheckpoint, encodeOrtCheckpoint } from "../src/ort-training/checkpoint.js";
import { decodeSafetensors, encodeSafetensors } from "../src/tensors/safetensors.js";
import { decodeCheckpoint, encodeCheckpoint } from "../src/training/checkpoint.js";
import { initialState } from "../src/training/state.js";
import { formats, producer } from "../src/version.js";
import { tinyDesign, tinyImage } from "./helpers/design.js";

const text = (value: string) => new TextEncoder().encode(value);

test("CRC-32 is that of zip and PNG, in one piece or several", () => {
  expect(crc32(text("123456789"))).toBe(0xcbf43926);
  expect(crc32(text(""))).toBe(0);
  const long = Uint8Array.from({ length: 1000 }, (_, i) => (i * 37) & 255);
  for (const cut of [0, 1, 7, 8, 999]) {
    expect(crc32(long.subarray(cut), crc32(long.subarray(0, cut)))).toBe(crc32(long));
  }
});

const design = tinyDesign();
const position = { recipe: "vanilla", seed: 9, epoch: 3, step: 17, images: 450, ...tinyImage };
const vector = { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) } as const;

/** A small generator as `export` writes it. */
function generator(): Uint8Array<ArrayBuffer> {
  const z = input("z", "float32", ["batch", 2]);
  const image = reshape(gemm(z, constant("float32", [2, 4], new Float32Array(8).fill(0.5))), [
    "batch",
    1,
    2,
    2,
  ]);
  const metadata = { format: formats.generator, latent: "2", range: "[-1,1]", ...unsealed };
  return seal(
    encodeModel(build({ name: "g", doc: "", producer, metadata }, { inputs: [z], outputs: { image } })),
  );
}

const files = {
  checkpoint: {
    bytes: encodeCheckpoint({ position, state: initialState(design, 9) }),
    read: (bytes: Uint8Array<ArrayBuffer>) => decodeCheckpoint(bytes, "file"),
  },
  generator: { bytes: generator(), read: (bytes: Uint8Array<ArrayBuffer>) => readGenerator(bytes, "file") },
  "ORT checkpoint": {
    bytes: encodeOrtCheckpoint({ trained: new Map([["w", vector]]), frozen: new Map() }),
    read: (bytes: Uint8Array<ArrayBuffer>) => decodeOrtCheckpoint(bytes, "file"),
  },
};

describe.each(Object.entries(files))("a %s", (_, { bytes, read }) => {
  test("is read as it was written", () => {
    expect(() => read(bytes)).not.toThrow();
  });

  test("is refused with any one bit flipped", () => {
    const bits = 8 * bytes.length;
    // All of them in a small file; in a large one some, spread evenly.
    const step = Math.max(1, Math.floor(bits / 4000));
    const unnoticed: number[] = [];
    for (let bit = 0; bit < bits; bit += step) {
      const damaged = bytes.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      try {
        read(damaged);
        unnoticed.push(bit);
      } catch (error) {
        expect(error).toBeInstanceOf(GanOnnxError);
        expect((error as GanOnnxError).message).toMatch(/^file: [^\n]*$/);
      }
    }
    expect(unnoticed).toEqual([]);
  });
});

test("a file without a checksum is read, as those of other programs have none", () => {
  const bytes = encodeSafetensors(new Map([["w", vector]]), { by: "another" });
  expect(checkSeal(bytes, decodeSafetensors(bytes, "file").metadata, "file")).toBe(false);
});
