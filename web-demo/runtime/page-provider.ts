/** Where a model runs in a browser: on the CPU with WebAssembly, or on the GPU. */
export type PageProvider = "wasm" | "webgpu";

/** The providers of this browser, the preferred one first. */
export async function pageProviders(): Promise<PageProvider[]> {
  // Undefined in browsers without WebGPU, and on insecure pages.
  const gpu: GPU | undefined = navigator.gpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (!adapter) return ["wasm"];
  // Chrome before 127 has no `info`; the flag is on the adapter itself.
  const { info, isFallbackAdapter }: { info?: GPUAdapterInfo; isFallbackAdapter?: boolean } = adapter;
  // A software GPU is slower than the CPU on which it runs.
  return (info?.isFallbackAdapter ?? isFallbackAdapter) ? ["wasm", "webgpu"] : ["webgpu", "wasm"];
}

/** Give adapters an `info`, which ONNX Runtime reads, where there is none: Chrome has it from version 127. */
export function completeAdapters(): void {
  if (typeof GPUAdapter === "undefined" || "info" in GPUAdapter.prototype) return;
  const info = { vendor: "", architecture: "", device: "", description: "" };
  Object.defineProperty(GPUAdapter.prototype, "info", { value: info });
}

/** The number of CPU threads. They share memory, which browsers allow only on isolated pages. */
export function threadCount(): number {
  return crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
}

/** The name of a provider on the page. */
export function nameOf(provider: PageProvider): string {
  if (provider === "webgpu") return "GPU (WebGPU)";
  const threads = threadCount();
  return threads === 1 ? "CPU, one thread" : `CPU, up to ${threads} threads`;
}

/** List providers in a field, with the first one selected. */
export function offerProviders(field: HTMLSelectElement, providers: readonly PageProvider[]): void {
  field.replaceChildren(...providers.map((provider) => new Option(nameOf(provider), provider)));
}
