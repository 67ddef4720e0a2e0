#!/usr/bin/env node
// The entry point of `gan-onnx`. It checks the version of Node before it loads any module: an old Node fails on their
// syntax without a useful message. Therefore this file is CommonJS and uses no new features.

/** The minimum version of Node, as in package.json's `engines`. */
const needed = [20, 19];
const found = process.versions.node;
const numbers = found.split(".").map(Number);
const isOld = numbers[0] < needed[0] || (numbers[0] === needed[0] && numbers[1] < needed[1]);

if (isOld) {
  console.error(
    `error: gan-onnx: needs Node ${needed.join(".")} or later, and this is ${found}; install a newer one`,
  );
  process.exitCode = 1;
} else {
  // Off Windows, ONNX Runtime's library reports the models that it opens to Microsoft, unless this is set before it loads:
  // https://github.com/microsoft/onnxruntime/pull/27379
  if (process.env.ORT_DISABLE_TELEMETRY === undefined) process.env.ORT_DISABLE_TELEMETRY = "1";
  import("./cli.js");
}
