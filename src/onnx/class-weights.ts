import { dtypes } from "../tensors/tensor.js";
import { onnx } from "./proto.js";

/**
 * The same model with its classes mixed: where `input` [batch], whole numbers, chooses rows of a table, it becomes
 * float32 [batch, classes], the weight of each row. One-hot weights give what the class gave; weights in between give
 * what lies between classes, so that a walk from one to another has no jump.
 *
 * @param input the name of the input that chooses.
 * @returns the changed model, or nothing when the input is used in another way.
 */
export function withClassWeights(
  bytes: Uint8Array,
  input: string,
  classes: number,
): Uint8Array<ArrayBuffer> | undefined {
  const model = onnx.ModelProto.decode(bytes);
  const { graph } = model;
  const port = graph?.input?.find(({ name }) => name === input);
  const users = graph?.node?.filter((node) => node.input?.includes(input)) ?? [];
  const [gather] = users;
  const table = graph?.initializer?.find(({ name }) => name === gather?.input?.[0]);
  const axis = gather?.attribute?.find(({ name }) => name === "axis")?.i ?? 0;
  const chooses =
    users.length === 1 &&
    gather.opType === "Gather" &&
    gather.input?.[1] === input &&
    Number(axis) === 0 &&
    table?.dims?.length === 2 &&
    Number(table.dims[0]) === classes &&
    table.dataType === dtypes.float32.onnx;
  if (!port || !chooses) return undefined;
  gather.opType = "MatMul";
  gather.input = [input, table.name ?? ""];
  gather.attribute = [];
  const batch = port.type?.tensorType?.shape?.dim?.[0] ?? { dimParam: "batch" };
  port.type = {
    tensorType: { elemType: dtypes.float32.onnx, shape: { dim: [batch, { dimValue: classes }] } },
  };
  return onnx.ModelProto.encode(model).finish() as Uint8Array<ArrayBuffer>;
}
