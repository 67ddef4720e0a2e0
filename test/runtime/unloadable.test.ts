import { expect, test } from "vitest";
import { unloadable } from "../../src/runtime/unloadable.node.js";

const linux = { platform: "linux", arch: "x64" };

test.each([
  [
    "musl",
    "Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /a/onnxruntime_binding.node)",
    linux,
    /^ONNX Runtime needs glibc, and this system has another C library .*; use a system with glibc/,
  ],
  [
    "an old glibc",
    "/lib/x86_64-linux-gnu/libm.so.6: version `GLIBC_2.28' not found (required by /a/libonnxruntime.so.1)",
    { ...linux, glibc: "2.17" },
    /^ONNX Runtime needs a newer C library than this system's glibc 2\.17 \(GLIBC_2\.28 is missing\); use a newer/,
  ],
  [
    "a platform without a library",
    "Cannot find module '../bin/napi-v6/darwin/x64/onnxruntime_binding.node'",
    { platform: "darwin", arch: "x64" },
    /^onnxruntime-node has no library for darwin x64; use Linux or/,
  ],
])("%s is named", (_, reason, machine, message) => {
  const { what, fix } = unloadable(reason, machine)!;
  expect(`${what}; ${fix}`).toMatch(message);
});

test("a model that is refused says nothing about the machine", () => {
  expect(unloadable("Load model failed:Protobuf parsing failed.")).toBeUndefined();
});
