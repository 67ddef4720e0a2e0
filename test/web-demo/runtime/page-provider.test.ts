import { afterEach, describe, expect, test, vi } from "vitest";
import { completeAdapters, pageProviders } from "../../../web-demo/runtime/page-provider.js";

describe("where models can run in a browser", () => {
  afterEach(() => vi.unstubAllGlobals());

  const software = { isFallbackAdapter: true };
  test.each([
    ["a GPU", { info: { isFallbackAdapter: false } }, ["webgpu", "wasm"]],
    ["a GPU in software", { info: software }, ["wasm", "webgpu"]],
    ["a WebGPU adapter without `info` (Chrome 113 to 126)", { isFallbackAdapter: false }, ["webgpu", "wasm"]],
    ["a software adapter without `info`", software, ["wasm", "webgpu"]],
    ["WebGPU without an adapter", null, ["wasm"]],
  ])("%s", async (_, adapter, expected) => {
    vi.stubGlobal("navigator", { gpu: { requestAdapter: async () => adapter } });
    expect(await pageProviders()).toEqual(expected);
  });

  test("no WebGPU, or one that refuses", async () => {
    vi.stubGlobal("navigator", {});
    expect(await pageProviders()).toEqual(["wasm"]);
    const refusing = async () => {
      throw new Error("blocked");
    };
    vi.stubGlobal("navigator", { gpu: { requestAdapter: refusing } });
    expect(await pageProviders()).toEqual(["wasm"]);
  });
});

test("ONNX Runtime finds an `info` on every WebGPU adapter without `info`, and the browser's own on others", () => {
  class OldAdapter {}
  vi.stubGlobal("GPUAdapter", OldAdapter);
  completeAdapters();
  completeAdapters();
  expect(new OldAdapter()).toHaveProperty("info.vendor", "");
  class NewAdapter {
    get info() {
      return { vendor: "theirs" };
    }
  }
  vi.stubGlobal("GPUAdapter", NewAdapter);
  completeAdapters();
  expect(new NewAdapter().info.vendor).toBe("theirs");
  vi.unstubAllGlobals();
  completeAdapters();
});
