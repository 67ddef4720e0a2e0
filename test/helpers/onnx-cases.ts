import { createWriteStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { openPromise } from "yauzl";
import { type GanOnnxError, messageOf } from "../../src/error.js";
import { constant, nameOfInput, type Value } from "../../src/graph/index.js";
import { isFloat } from "../../src/graph/value.js";
import { onnx } from "../../src/onnx/proto.js";
import { type ReadModel, readModel } from "../../src/onnx/read.js";
import { listNodes } from "../../src/onnx/summary.js";
import { tensorIn } from "../../src/onnx/tensors-in.js";
import type { Tensor } from "../../src/tensors/tensor.js";

/** One of ONNX's backend tests (https://github.com/onnx/onnx/blob/main/docs/ONNXBackendTest.md), read. */
export interface OnnxCase {
  readonly name: string;
  readonly read: ReadModel;
  /** Reads it again with other values for its inputs. */
  readonly apply: (inputs: readonly Value[]) => ReadModel;
  readonly inputs: readonly Tensor[];
  /** The recorded outputs. */
  readonly outputs: readonly Tensor[];
  /** The types of its nodes. */
  readonly operators: readonly string[];
}

const INSIDE = "onnx/backend/test/data/node/";

/** ONNX's backend node tests in a folder. */
export interface NodeTests {
  readonly folder: string;
  /** Removes what was unpacked. */
  remove(): Promise<void>;
}

/** The tests in a folder, or in the PyPI package `onnx`: a wheel is a ZIP file, and is unpacked without Python. */
export async function nodeTests(source: string): Promise<NodeTests> {
  if (!source.endsWith(".whl")) return { folder: source, remove: async () => {} };
  const root = await mkdtemp(join(tmpdir(), "gan-onnx-onnx-tests-"));
  const zip = await openPromise(source);
  for await (const entry of zip.eachEntry()) {
    if (!entry.fileName.startsWith(INSIDE) || entry.fileName.endsWith("/")) continue;
    const target = join(root, entry.fileName.slice(INSIDE.length));
    await mkdir(dirname(target), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
  }
  return { folder: root, remove: () => rm(root, { recursive: true, force: true }) };
}

/** The names of the cases in a folder: `onnx/backend/test/data/node` of the PyPI package. */
export function casesIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, "model.onnx")));
}

/**
 * Read a case. Inputs such as axes, shapes and scales become constants, because graphs with known shapes need them.
 *
 * @throws GanOnnxError when it contains something that is not supported.
 */
export function readCase(folder: string, name: string): OnnxCase {
  const bytes = new Uint8Array(readFileSync(join(folder, name, "model.onnx")));
  const tensors = tensorsOf(folder, name, "input");
  const { read, fixed } = readWithConstants(bytes, name, tensors);
  const names = read.inputs.map(nameOfInput);
  return {
    name,
    read,
    apply: (inputs) => {
      const given = new Map([...fixed, ...names.map((each, i) => [each, inputs[i]] as const)]);
      return readModel(bytes, { source: name, given });
    },
    inputs: names.map((each) => tensors.get(each) as Tensor),
    outputs: [...tensorsOf(folder, name, "output").values()],
    operators: listNodes(bytes).map(({ operator }) => operator),
  };
}

interface ReadWithConstants {
  readonly read: ReadModel;
  readonly fixed: ReadonlyMap<string, Value>;
}

function readWithConstants(
  bytes: Uint8Array,
  source: string,
  inputs: ReadonlyMap<string, Tensor>,
): ReadWithConstants {
  try {
    return { read: readModel(bytes, { source }), fixed: new Map() };
  } catch (error) {
    const whole = [...inputs].filter(([, { dtype }]) => !isFloat(dtype));
    const scalars = [...inputs].filter(([, { shape }]) => shape.length === 0);
    for (const constants of [whole, [...whole, ...scalars], [...inputs].slice(1)]) {
      try {
        const fixed = new Map(
          constants.map(([name, { dtype, shape, data }]) => [name, constant(dtype, shape, data)]),
        );
        const read = readModel(bytes, { source, given: fixed });
        return { read: { ...read, inputs: read.inputs.filter((x) => !fixed.has(nameOfInput(x))) }, fixed };
      } catch {}
    }
    throw error;
  }
}

/** The tensors of a case, which are in separate files. */
function tensorsOf(folder: string, name: string, kind: "input" | "output"): ReadonlyMap<string, Tensor> {
  const data = join(folder, name, "test_data_set_0");
  const count = readdirSync(data).filter((file) => file.startsWith(`${kind}_`)).length;
  const each = Array.from({ length: count }, (_, i): [string, Tensor] => {
    const proto = onnx.TensorProto.decode(new Uint8Array(readFileSync(join(data, `${kind}_${i}.pb`))));
    const tensor = tensorIn(proto, proto.name, proto.dims.map(Number), { name: `${kind}_${i}.pb` });
    return [proto.name, tensor];
  });
  return new Map(each);
}

/** What was wrong, without the names of the case and the node. */
export function reasonOf(error: GanOnnxError): string {
  const message = messageOf(error);
  const [, operator, what] = /\((\S+), opset \d+\): (.*); /.exec(message) ?? [];
  if (operator !== undefined) return `${operator}: ${what}`;
  if (/has 0 elements and the shape|is no tensor/.test(message)) return "sequences and optional values";
  return message.replace(/; .*$/, "").replace(/^.*: /, "");
}
