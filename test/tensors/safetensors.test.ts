import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../src/tensors/safetensors.js";
import type { Tensor } from "../../src/tensors/tensor.js";

const golden = new URL("../../../shared/golden/", import.meta.url);

/** A file with this header text and this many element bytes. */
function file(header: string, elementBytes = 0): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + elementBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const headerOf = (bytes: Uint8Array) => {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(bytes.subarray(8, 8 + length));
};

const info = (begin: number, end: number, dtype = "F32", shape = `[${(end - begin) / 4}]`) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

const oneOfEach = new Map<string, Tensor>([
  ["flag", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ["bytes", { dtype: "uint8", shape: [1, 2], data: Uint8Array.of(7, 255) }],
  ["weights", { dtype: "float32", shape: [2, 2], data: Float32Array.of(1.5, -0, Number.NaN, 3e38) }],
  ["step", { dtype: "int64", shape: [], data: BigInt64Array.of(-(2n ** 62n)) }],
  ["rate", { dtype: "float64", shape: [1], data: Float64Array.of(Math.PI) }],
  ["label", { dtype: "int32", shape: [2], data: Int32Array.of(-5, 5) }],
  ["empty", { dtype: "float32", shape: [0, 4], data: new Float32Array(0) }],
  ['odd "näme"\n__proto__', { dtype: "int32", shape: [1], data: Int32Array.of(1) }],
  ["__proto__", { dtype: "int32", shape: [1], data: Int32Array.of(2) }],
  ["0", { dtype: "int32", shape: [1], data: Int32Array.of(3) }],
]);

describe("encodeSafetensors", () => {
  it("writes what it reads", () => {
    const metadata = { format: "pt", step: '{"n": 7}' };
    const decoded = decodeSafetensors(encodeSafetensors(oneOfEach, metadata), "x.safetensors");
    expect(decoded.metadata).toEqual(metadata);
    expect(new Set(decoded.tensors.keys())).toEqual(new Set(oneOfEach.keys()));
    for (const [name, tensor] of oneOfEach) expect(decoded.tensors.get(name)).toEqual(tensor);
  });

  it("writes the bytes of the reference implementation", () => {
    const bytes = encodeSafetensors(
      new Map<string, Tensor>([
        ["b", { dtype: "float32", shape: [1], data: Float32Array.of(1) }],
        ["n", { dtype: "int64", shape: [], data: BigInt64Array.of(2n) }],
        ["a", { dtype: "float32", shape: [1], data: Float32Array.of(3) }],
      ]),
      { k: "v" },
    );
    // From Python: safetensors.numpy.save({"b": ..., "n": ..., "a": ...}, {"k": "v"}).
    const header =
      '{"__metadata__":{"k":"v"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
      '"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}     ';
    const elements = "0200000000000000" + "00004040" + "0000803f";
    expect(Buffer.from(bytes).toString("latin1", 0, 1)).toBe("\xc0");
    expect(headerOf(bytes)).toBe(header);
    expect(Buffer.from(bytes.subarray(8 + 0xc0)).toString("hex")).toBe(elements);
  });

  it("pads the header to 8 bytes and depends on content only", () => {
    const bytes = encodeSafetensors(oneOfEach);
    expect(headerOf(bytes).length).not.toBe(0);
    expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n);
    expect(encodeSafetensors(new Map([...oneOfEach].reverse()))).toEqual(bytes);
    expect(headerOf(encodeSafetensors(new Map()))).toBe("{}      ");
  });

  it("writes a view's elements only", () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const bytes = encodeSafetensors(new Map([["x", { dtype: "float32", shape: [2], data }]]));
    expect(decodeSafetensors(bytes, "x").tensors.get("x")!.data).toEqual(Float32Array.of(2, 3));
  });

  it("rejects tensors that contradict themselves", () => {
    const encode = (name: string, tensor: Tensor) => () => encodeSafetensors(new Map([[name, tensor]]));
    expect(encode("x", { dtype: "float32", shape: [2, 2], data: new Float32Array(3) })).toThrow(
      'tensor "x": shape [2, 2] has 4 elements, the data 3; correct what is to be written',
    );
    expect(encode("x", { dtype: "float32", shape: [1], data: new Int32Array(1) as never })).toThrow(
      'tensor "x": float32 needs a Float32Array',
    );
    expect(encode("__metadata__", { dtype: "uint8", shape: [0], data: new Uint8Array(0) })).toThrow(
      "reserved",
    );
  });
});

describe("decodeSafetensors", () => {
  it("reads elements that are not aligned, and files inside larger arrays", () => {
    const header = `{"a":${info(0, 4)},"b":${info(4, 5, "U8", "[1]")},"c":${info(5, 13, "F64", "[]")}}`;
    const bytes = file(header, 13);
    new DataView(bytes.buffer).setFloat64(bytes.length - 8, 0.25, true);
    new DataView(bytes.buffer).setFloat32(bytes.length - 13, 0.5, true);
    for (const shift of [0, 1, 2, 3, 4]) {
      const larger = new Uint8Array(bytes.length + 2 * shift);
      larger.set(bytes, shift);
      const { tensors } = decodeSafetensors(larger.subarray(shift, shift + bytes.length), "x");
      expect(tensors.get("a")!.data).toEqual(Float32Array.of(0.5));
      expect(tensors.get("c")).toEqual({ dtype: "float64", shape: [], data: Float64Array.of(0.25) });
    }
  });

  it("makes views, not copies, where elements are aligned", () => {
    const bytes = encodeSafetensors(oneOfEach);
    for (const { data } of decodeSafetensors(bytes, "x").tensors.values())
      expect(data.buffer).toBe(bytes.buffer);
  });

  it("takes tensors in any order of the header, and trailing spaces", () => {
    const { tensors, metadata } = decodeSafetensors(file(`{"b":${info(4, 8)},"a":${info(0, 4)}}   `, 8), "x");
    expect([...tensors.keys()]).toEqual(["a", "b"]);
    expect(metadata).toEqual({});
  });

  const broken: [string, Uint8Array<ArrayBuffer>, string][] = [
    ["nothing", new Uint8Array(0), "0 bytes are too few for the header's length"],
    [
      "a header beyond the file",
      file("{}").subarray(0, 9),
      "a header of 2 bytes does not fit into a file of 9",
    ],
    ["a giant header", new Uint8Array(16).fill(1), "is over the limit of 100000000"],
    ["an empty header", file(""), 'the header does not begin with "{"'],
    ["an empty header before a brace", file("", 1).fill(0x7b, 8), 'the header does not begin with "{"'],
    ["a list", file("[]"), 'the header does not begin with "{"'],
    ["a space first", file(" {}"), 'the header does not begin with "{"'],
    ["half an object", file('{"a":'), "the header is not valid ("],
    ["broken UTF-8", file("{}").fill(0xff, 9), "the header is not valid ("],
    ["a name twice", file(`{"a":${info(0, 4)},"\\u0061":${info(0, 4)}}`, 4), 'the name "a" occurs twice'],
    [
      "a field twice",
      file(`{"a":{"dtype":"F32",${info(0, 4).slice(1)}}`, 4),
      'the name "dtype" occurs twice',
    ],
    ["metadata that is no text", file('{"__metadata__":{"n":1}}'), "__metadata__.n needs a text, not 1"],
    ["metadata that is a list", file('{"__metadata__":[]}'), "__metadata__ needs an object, not []"],
    [
      "no shape",
      file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4),
      'tensor "a".shape is missing; it needs a list',
    ],
    [
      "a negative size",
      file(`{"a":${info(0, 4, "F32", "[-1]")}}`, 4),
      'tensor "a".shape.0 needs a whole number from 0, not ',
    ],
    [
      "a fractional size",
      file(`{"a":${info(0, 4, "F32", "[1.5]")}}`, 4),
      'tensor "a".shape.0 needs a whole number from 0, not ',
    ],
    ["one offset", file('{"a":{"dtype":"F32","shape":[],"data_offsets":[0]}}', 4), 'tensor "a".data_offsets'],
    [
      "a hole",
      file(`{"a":${info(0, 4)},"b":${info(8, 12)}}`, 12),
      'tensor "b": data_offsets begin at 8 and not at 4',
    ],
    ["an overlap", file(`{"a":${info(0, 8)},"b":${info(4, 8)}}`, 8), "which leaves an overlap"],
    ["a late begin", file(`{"a":${info(4, 8)}}`, 8), 'tensor "a": data_offsets begin at 4 and not at 0'],
    [
      "an end before the begin",
      file(`{"a":${info(0, 4)},"b":${info(4, 0, "F32", "[1]")}}`, 4),
      'tensor "b": data_offsets end at 0',
    ],
    [
      "a wrong size",
      file(`{"a":${info(0, 8, "F32", "[3]")}}`, 8),
      'tensor "a": data_offsets span 8 bytes, but F32 [3] takes 12',
    ],
    [
      "a size beyond 2^53",
      file(`{"a":${info(0, 8, "F32", "[4294967296,4294967296]")}}`, 8),
      "data_offsets span 8 bytes",
    ],
    ["too few elements", file(`{"a":${info(0, 8)}}`, 4), 'tensor "a": its elements end at byte '],
    ["unused bytes", file(`{"a":${info(0, 4)}}`, 7), "the last 3 bytes belong to no tensor"],
    [
      "floats of 8 bits",
      file(`{"a":${info(0, 2, "F8_E4M3", "[2]")}}`, 2),
      'tensor "a": element type F8_E4M3 is not supported; convert',
    ],
  ];
  it.each(broken)("rejects %s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, "x.safetensors")).toThrow(/^x\.safetensors: [^\n]+; [^\n]+$/);
    expect(() => decodeSafetensors(bytes, "x.safetensors")).toThrow(message);
  });

  it("throws nothing but its own errors on damaged files", () => {
    const whole = encodeSafetensors(oneOfEach, { a: "b" });
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.slice();
      bytes[at] ^= 1 << (at % 8);
      for (const variant of [bytes, whole.slice(0, at)]) {
        try {
          decodeSafetensors(variant, "x.safetensors");
        } catch (error) {
          expect(String(error)).toMatch(/^GanOnnxError: x\.safetensors: /);
        }
      }
    }
  });

  it.skipIf(!existsSync(golden))(
    "reads the reference trajectories, and writes them as PyTorch did, to the byte",
    () => {
      const files = readdirSync(golden).filter((name) => name.endsWith(".safetensors"));
      expect(files).not.toHaveLength(0);
      for (const name of files) {
        const bytes = readFileSync(new URL(name, golden));
        const { tensors, metadata } = decodeSafetensors(new Uint8Array(bytes), name);
        expect(tensors.size, name).toBeGreaterThan(10);
        expect(bytes.equals(encodeSafetensors(tensors, metadata)), name).toBe(true);
      }
    },
  );
});
