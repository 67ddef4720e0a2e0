// The second part of `npm run build`: what tsc does not do.
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = join(root, "dist");

/** Replace a text that must occur exactly once. */
function replaceOnce(text, before, after) {
  if (text.split(before).length !== 2) throw new Error(`${JSON.stringify(before)} does not occur once`);
  return text.replace(before, () => after);
}

/** Remove unused functions from generated code: more than half of it. */
function withoutUnused(source) {
  const unused = "verify|fromObject|toObject|encodeDelimited|decodeDelimited|prototype\\.toJSON";
  const definition = new RegExp(
    `^( *)\\w+\\.(${unused}) = function \\w+\\([^)]*\\) \\{\\n.*?\\n\\1\\};\\n`,
    "gms",
  );
  return source.replace(definition, "").replace(/^ *\/\*\*.*?\*\/\n/gms, "");
}

/**
 * onnx-proto requires protobufjs 6 and is CommonJS. npm's `overrides` give it protobufjs 8 here, but do not apply when
 * users install this package. So its generated code is copied to dist/ as an ES module that uses this package's
 * protobufjs.
 */
function bundleOnnxProto() {
  const source = readFileSync(createRequire(import.meta.url).resolve("onnx-proto"), "utf8");
  const withImport = replaceOnce(
    source,
    'var $protobuf = require("protobufjs/minimal");',
    'import $protobuf from "protobufjs/minimal.js";',
  );
  const licence = readFileSync(join(root, "node_modules/onnx-proto/LICENSE"), "utf8").trim();
  const notice = `/*!\n * onnx-proto, generated from onnx.proto\n *\n${licence.replace(/^/gm, " * ")}\n */\n`;
  const module = withoutUnused(replaceOnce(withImport, "module.exports = $root;", "export default $root;"));
  writeFileSync(join(dist, "onnx/onnx-proto.js"), notice + module);
  // The same for its types, which use a type Long without importing it.
  const long = "type Long = { low: number; high: number; unsigned: boolean; toNumber(): number };\n";
  const types = readFileSync(join(root, "node_modules/onnx-proto/dist/onnx.d.ts"), "utf8");
  writeFileSync(join(dist, "onnx/onnx-proto-types.d.ts"), notice + types + long);
  const renamed = 'import * as all from "./onnx-proto-types.js";\nexport default all;\n';
  writeFileSync(join(dist, "onnx/onnx-proto.d.ts"), renamed);
  const users = readdirSync(join(dist, "onnx"), { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.(js|d\.ts)$/.test(file),
  );
  for (const user of users) {
    const path = join(dist, "onnx", user);
    const text = readFileSync(path, "utf8");
    const up = user.split(sep).length === 1 ? "./" : "../".repeat(user.split(sep).length - 1);
    const ours = text.replaceAll('"onnx-proto"', `"${up}onnx-proto.js"`);
    if (ours !== text) writeFileSync(path, ours);
  }
}

/** Remove files of earlier builds from dist/ that have no source any more. */
function removeStale() {
  for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    if (file.startsWith("web-demo") || !/\.(js|d\.ts|map)$/.test(file)) continue;
    const source = join(root, "src", file.replace(/\.(js|d\.ts|js\.map)$/, ".ts"));
    if (!existsSync(source) || file.endsWith(".map")) rmSync(join(dist, file));
  }
}

removeStale();
bundleOnnxProto();
chmodSync(join(dist, "bin.cjs"), 0o755);
