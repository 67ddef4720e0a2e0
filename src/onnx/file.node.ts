import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, sep } from "node:path";
import { GanOnnxError, messageOf } from "../error.js";
import { readBytes } from "../files.node.js";
import { type ReadModel, type ReadOptions, readModel } from "./read.js";
import type { ExternalData } from "./tensors-in.js";

/**
 * Read an ONNX file. Its weights may be in files beside it. See {@link readModel}.
 *
 * @throws {@link GanOnnxError} when the file cannot be read or is not a supported model.
 */
export async function readModelFile(
  path: string,
  options: Omit<ReadOptions, "source"> = {},
): Promise<ReadModel> {
  return readModel(await readBytes(path), { externalData: filesBeside(path), ...options, source: path });
}

/** Read parts of files in the folder of a model. Other folders are refused: paths in a model are not trusted. */
export function filesBeside(model: string): ExternalData {
  return (location, offset, length) => {
    const where = `${model}: weights in ${location}`;
    const fail = (what: string, cause?: unknown): never => {
      throw new GanOnnxError({ what, where, fix: "keep the model with all its files in one folder", cause });
    };
    if (location === "" || isAbsolute(location) || location.split(/[\\/]/).includes(".."))
      return fail("the path leaves the folder of the model");
    const folder = realpathSync(dirname(model));
    const path = (() => {
      try {
        return realpathSync(join(folder, location));
      } catch (cause) {
        return fail(`the file cannot be found (${messageOf(cause)})`, cause);
      }
    })();
    if (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep))
      return fail("the file is a link out of the folder of the model");
    const file = openSync(path, "r");
    try {
      const status = fstatSync(file);
      if (!status.isFile()) return fail("it is no plain file");
      const size = length ?? status.size - offset;
      if (offset + size > status.size || size < 0)
        return fail(`bytes ${offset} to ${offset + size} are named, and the file has ${status.size}`);
      return bytesAt(file, offset, size) ?? fail("the file became shorter while it was read");
    } finally {
      closeSync(file);
    }
  };
}

function bytesAt(file: number, offset: number, size: number): Uint8Array | undefined {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const read = readSync(file, bytes, done, Math.min(size - done, 2 ** 30), offset + done);
    if (read === 0) return undefined;
    done += read;
  }
  return bytes;
}
