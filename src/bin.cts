#!/usr/bin/env node
// What `gan-onnx` starts with. No module is loaded before the version of Node is known: an old one refuses their syntax
// and says no more than that. So this file is CommonJS, and uses nothing that is new.

/** The Node that package.json's `engines` asks for. */
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
  import("./cli.js");
}
