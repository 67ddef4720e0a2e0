import { GanOnnxError } from "../error.js";
import { productOf } from "../graph/dims.js";
import {
  cast,
  concat,
  type Dim,
  formatShape,
  nameOfInput,
  reshape,
  type Shape,
  type Value,
  withScope,
} from "../graph/index.js";
import { type FileModel, type ReadModel, traceModel } from "../onnx/index.js";
import { sizeOf, type Tensor } from "../tensors/tensor.js";
import { oneHot } from "./conv.js";
import { uniformFanIn } from "./layers.js";
import type { Initializer } from "./network.js";
import type { Ports, Role, RoleNetwork } from "./role.js";

export interface FileNetworkOptions {
  /** The path of the file, for messages. */
  readonly source: string;
  /** Draw new initial weights for each layer. Otherwise training starts from the weights in the file. */
  readonly fresh?: boolean;
}

/** A network from a file. */
export interface FileNetwork extends RoleNetwork {
  /** Notes for the user about how the file was read, one line each. */
  readonly notes: readonly string[];
  readonly ports: Ports;
}

/**
 * A network whose graph is an ONNX file. Its float initializers are the parameters, with their names in the file;
 * running statistics of batch normalization are buffers. Call it with x [batch, …], and the label of each sample if the
 * role has classes. It returns [batch, output].
 *
 * @throws {@link GanOnnxError} when the inputs or the output of the file do not match the role.
 */
export function fileNetwork(
  name: string,
  model: FileModel,
  role: Role,
  { source, fresh = false }: FileNetworkOptions,
): FileNetwork {
  const read = traceModel(model, { source });
  const places = placesOf(read, role, name, source);
  const checked = outputOf(read, role, name, source);
  return {
    name,
    ports: portsOf(read, places, checked.dropped),
    notes: [
      ...read.notes,
      ...(checked.dropped
        ? [`its last operator, ${role.without}, is left out: the loss works on logits`]
        : []),
    ],
    create(scope) {
      const weights = new Map<string, Value>();
      for (const [name, value] of read.parameters) {
        const tensor = tensorOf(read, name);
        const init: Initializer = fresh
          ? freshInitializer(name, tensor)
          : { kind: "given", values: floatsOf(tensor, name, source) };
        weights.set(name, scope.parameter(name, value.shape as readonly number[], init));
      }
      const buffers = [...read.statistics].map(([name, value]) => {
        const init: Initializer = fresh
          ? { kind: "constant", value: freshStatistic(name) }
          : { kind: "given", values: floatsOf(tensorOf(read, name), name, source) };
        return [name, scope.buffer(name, value.shape as readonly number[], init)] as const;
      });
      return (x, label) =>
        withScope(name, () => {
          const given = new Map(weights);
          for (const [name, buffer] of buffers) given.set(name, buffer.read());
          given.set(places.x, fitted(x, read, places.x));
          if (places.label !== undefined && label)
            given.set(places.label, labelled(label, read, places.label, role.classes ?? 0));
          const traced = traceModel(model, { source, given, training: scope.training });
          if (scope.training)
            for (const [name, buffer] of buffers)
              buffer.write(traced.nextStatistics.get(name) ?? buffer.read());
          return reshape(outputOf(traced, role, name, source).value, [x.shape[0], role.output]);
        });
    },
  };
}

function floatsOf({ dtype, data }: Tensor, name: string, source: string): Float32Array {
  if (dtype === "float32") return data;
  throw new GanOnnxError({
    what: `the weight ${name} is ${dtype}; networks are trained in float32`,
    where: source,
    fix: "export the network in float32",
    kind: "usage",
  });
}

function inputNamed({ inputs }: ReadModel, name: string): Value {
  return inputs.find((value) => nameOfInput(value) === name) as Value;
}

function tensorOf({ tensors }: ReadModel, name: string): Tensor {
  return tensors.get(name) as Tensor;
}

/** The names of the inputs for samples and labels. */
function placesOf(
  read: ReadModel,
  { input, classes }: Role,
  network: string,
  source: string,
): { readonly x: string; readonly label?: string } {
  const described = read.inputs.map(
    (value) => `${nameOfInput(value)} ${value.dtype} ${formatShape(value.shape)}`,
  );
  const fail = (what: string): never => {
    const expected = [
      `samples [batch, ${input.join(", ")}]`,
      ...(classes === undefined ? [] : ["a label [batch]"]),
    ];
    throw new GanOnnxError({
      what: `${what}; the recipe feeds the ${network} ${expected.join(" and ")}, the file has ${described.join(", ") || "no inputs"}`,
      where: source,
      fix: "export the network with the inputs that the recipe feeds, or choose another recipe",
      kind: "usage",
    });
  };
  const size = sizeOf(input);
  const ofSamples = read.inputs.filter(
    ({ dtype, shape }) => dtype.startsWith("float") && shape.length > 1 && restOf(shape) === size,
  );
  const [x] = ofSamples;
  if (!x) return fail(`no input takes ${size} numbers for each sample`);
  const others = read.inputs.filter((value) => value !== x);
  if (classes === undefined) {
    if (others.length > 0) fail(`it has ${read.inputs.length} inputs`);
    return { x: nameOfInput(x) };
  }
  const label = others.find(({ dtype, shape }) =>
    dtype.startsWith("int") ? restOf(shape) === 1 : restOf(shape) === classes,
  );
  if (!label || others.length > 1) return fail("no input takes the class of each sample");
  return { x: nameOfInput(x), label: nameOfInput(label) };
}

function portsOf(
  read: ReadModel,
  places: { readonly x: string; readonly label?: string },
  dropped: boolean,
): Ports {
  const shapeOf = (name: string) => inputNamed(read, name).shape.slice(1) as readonly number[];
  const [output] = read.outputs.keys();
  const { x: input, label } = places;
  return {
    input,
    inputShape: shapeOf(input),
    ...(label !== undefined && {
      label,
      labelType: inputNamed(read, label).dtype as Ports["labelType"],
      labelShape: shapeOf(label),
    }),
    output,
    ...(dropped && { dropped }),
  };
}

/** The number of elements per sample in a shape whose first dimension is the batch. */
function restOf(shape: Shape): Dim {
  return productOf(shape.slice(1));
}

/** Reshape x to the shape of the file's input. */
function fitted(x: Value, read: ReadModel, name: string): Value {
  return reshape(x, [x.shape[0], ...inputNamed(read, name).shape.slice(1)]);
}

function labelled(label: Value, read: ReadModel, name: string, classes: number): Value {
  const { dtype, shape } = inputNamed(read, name);
  const value = dtype.startsWith("float")
    ? oneHot(label, classes)
    : label.dtype === dtype
      ? label
      : cast(label, { to: dtype });
  return reshape(value, [label.shape[0], ...shape.slice(1)]);
}

/** The output of a network: the float output of the file, or several concatenated. */
function outputOf(
  { outputs }: ReadModel,
  { output, without }: Role,
  network: string,
  source: string,
): { readonly value: Value; readonly dropped: boolean } {
  const floats = [...outputs].filter(([, { dtype }]) => dtype.startsWith("float"));
  const fits = (values: readonly Value[]) => {
    const sizes = values.map(({ shape }) => restOf(shape));
    return values.length > 0 && sizes.reduce<Dim>((sum, size) => Number(sum) + Number(size), 0) === output;
  };
  const [first, ...others] = floats.map(([, value]) => value);
  if (first && fits([first])) {
    const { origin } = first;
    const dropped = origin.kind === "node" && without !== undefined && origin.node.operator.type === without;
    return { value: dropped && origin.kind === "node" ? origin.node.inputs[0] : first, dropped };
  }
  if (first && fits([first, ...others])) {
    const rows = [first, ...others].map((value) => reshape(value, [value.shape[0], restOf(value.shape)]));
    return { value: concat(rows, 1), dropped: false };
  }
  const found =
    floats.map(([name, { shape }]) => `${name} ${formatShape(shape)}`).join(", ") || "none of floats";
  throw new GanOnnxError({
    what: `the recipe expects ${output} numbers for each sample of the ${network}, the file's outputs are ${found}`,
    where: source,
    fix: "export the network with that output first",
    kind: "usage",
  });
}

/**
 * PyTorch's default initialization for a tensor of this kind: weights of products by fan-in, scales of normalization 1,
 * biases 0.
 */
function freshInitializer(name: string, { shape, data }: Tensor): Initializer {
  if (shape.length >= 2) return uniformFanIn(sizeOf(shape.slice(1)));
  const isBias = /bias|beta|(^|[._])b$/i.test(name);
  const isScale = !isBias && Array.prototype.every.call(data, (value) => Number(value) > 0);
  return { kind: "constant", value: isScale ? 1 : 0 };
}

function freshStatistic(name: string): number {
  return /var/i.test(name) ? 1 : 0;
}
