import { existsSync } from "node:fs";
import { examine } from "../../src/runtime/examine.node.js";
import { type ProviderName, providerNames } from "../../src/runtime/providers.js";

/** A software Vulkan driver, from Debian's chromium: WebGPU on a machine without a GPU. */
export const swiftshader = "/usr/lib/chromium/vk_swiftshader_icd.json";
export const hasSoftwareVulkan = existsSync(swiftshader);

/** The environment in which Vulkan has only that driver. */
export const softwareVulkan = { VK_ICD_FILENAMES: swiftshader, VK_DRIVER_FILES: swiftshader };

/** The environment of a machine without a GPU. */
export const withoutGpu = {
  CUDA_VISIBLE_DEVICES: "",
  VK_DRIVER_FILES: "/nonexistent.json",
  VK_ICD_FILENAMES: "/nonexistent.json",
};

/** Let this process and its children use the software driver, if it is installed. */
export function preferSoftwareVulkan(): void {
  if (hasSoftwareVulkan) Object.assign(process.env, softwareVulkan);
}

/** All providers, tried on this machine: a title for a test (with the reason if it is skipped), and what is missing. */
export function contenders(): Promise<[title: string, ep: ProviderName, missing: string | undefined][]> {
  return Promise.all(
    providerNames.map(async (ep) => {
      const { available, reason } = await examine(ep);
      return available ? [ep, ep, undefined] : [`${ep} (skipped: ${reason})`, ep, reason];
    }),
  );
}
