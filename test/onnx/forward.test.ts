import { describe, expect, test } from "vitest";
import { examine } from "../../src/runtime/examine.node.js";
import { agreements, forwardMissing, forwardModels, readForward } from "../helpers/forward.js";
import { preferSoftwareVulkan } from "../helpers/providers.js";

// Batch normalisation that PyTorch's exporter has folded into the convolution before it: its weights are others.
const folded: Readonly<Record<string, readonly string[]>> = {
  conv_generator: ["grad.up.2.weight", "grad.up.2.bias"],
};

describe.skipIf(forwardMissing)(`models of PyTorch's exporters${forwardMissing}`, () => {
  test.each(forwardModels)("%s: output and gradients are those that PyTorch computes", async (name) => {
    const { made, record } = await readForward(name);
    const found = (await agreements(made, record)).filter((each) => !folded[name]?.includes(each.name));
    expect(found.length).toBeGreaterThan(3);
    for (const { name, error } of found) expect(error, name).toBeLessThan(name === "output" ? 1e-5 : 1e-4);
  });
});

preferSoftwareVulkan();
const { available, reason } = await examine("webgpu");
const missing = forwardMissing || (available ? "" : ` (skipped: ${reason})`);

describe.skipIf(missing)(`the same on WebGPU, for a part${missing}`, () => {
  test.each(["perceptron", "conv_generator@torchscript"])("%s", async (name) => {
    const { made, record } = await readForward(name);
    const found = await agreements(made, record, ["webgpu"]);
    expect(found.length).toBeGreaterThan(3);
    for (const { name, error } of found) expect(error, name).toBeLessThan(name === "output" ? 1e-5 : 1e-4);
  });
});
