// Loaded by `node --import`: from then on, this process cannot load native code or jimp.
import { register } from "node:module";

process.dlopen = () => {
  throw new Error("native code was loaded");
};

const hook = `
export async function resolve(specifier, context, next) {
  if (specifier === "@jimp/core" || specifier === "onnxruntime-node") throw new Error(specifier + " was loaded");
  return next(specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
