import { dtypes } from "../tensors/tensor.js";
import { onnx } from "./proto.js";

/**
 * Change a class input to class weights. An integer `input` [batch] that selects rows of a table becomes float32
 * [batch, classes], the weight of each row. One-hot weights give the same result as the class; other weights
 * interpolate between classes.
 *
 * @param input the name of the class input.
 * @returns the changed model, or undefined when the input is used in another way.
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
