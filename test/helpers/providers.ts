import { existsSync } from "node:fs";
import { examine } from "../../src/runtime/examine.node.js";
import { type ProviderName, providerNames } from "../../src/runtime/providers.js";

/** A Vulkan driver in software, from Debian's chromium: WebGPU on a machine without a GPU. */
export const swiftshader = "/usr/lib/chromium/vk_swiftshader_icd.json";
export const hasSoftwareVulkan = existsSync(swiftshader);

/** The environment in which Vulkan has that driver and no other. */
export const softwareVulkan = { VK_ICD_FILENAMES: swiftshader, VK_DRIVER_FILES: swiftshader };

/** The environment of a machine without a GPU, whatever this one has. */
export const withoutGpu = {
  CUDA_VISIBLE_DEVICES: "",
  VK_DRIVER_FILES: "/nonexistent.json",
  VK_ICD_FILENAMES: "/nonexistent.json",
};

/** Have this process, and those that it starts, use the driver in software where there is one. */
export function preferSoftwareVulkan(): void {
  if (hasSoftwareVulkan) Object.assign(process.env, softwareVulkan);
}

/**
 * Every provider, tried on this machine: its name for the title of a test, which says why it is skipped where it is, and
 * what it misses.
 */
export function contenders(): Promise<[title: string, ep: ProviderName, missing: string | undefined][]> {
  return Promise.all(
    providerNames.map(async (ep) => {
      const { available, reason } = await examine(ep);
      return available ? [ep, ep, undefined] : [`${ep} (skipped: ${reason})`, ep, reason];
    }),
  );
}
