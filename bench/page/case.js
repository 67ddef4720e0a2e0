// What all pages read: a case's configuration, weights and batches.
const arrays = { F32: Float32Array, U8: Uint8Array, I64: BigInt64Array };

/** A safetensors file: its configuration, and its tensors by name. */
export async function readCase(url) {
  const buffer = await (await fetch(url)).arrayBuffer();
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, start - 8)));
  const configuration = JSON.parse(header.__metadata__.configuration);
  delete header.__metadata__;
  const tensors = new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => [name, { shape, data: new arrays[dtype](buffer.slice(start + begin, start + end)) }],
    ),
  );
  return { configuration, tensors };
}

/** The weights of a case by name: what is neither batch nor running statistics. */
export const weightsOf = (tensors) =>
  [...tensors].filter(([name]) => name.includes(".") && !name.includes(".running_"));

/** What a phase is given in one of its updates: [steps, batch, ...], where it repeats [steps, repeats, batch, ...]. */
export function givenIn(tensors, { repeats, inputs }, step, repeat) {
  return inputs.map((name) => {
    const { shape, data } = tensors.get(name);
    const size = data.length / shape[0] / repeats;
    // A round may have more steps than the case, and begins anew then.
    const first = ((step % shape[0]) * repeats + repeat) * size;
    return [name, shape.slice(repeats > 1 ? 2 : 1), data.subarray(first, first + size)];
  });
}
