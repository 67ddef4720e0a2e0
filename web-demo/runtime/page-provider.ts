/** Where a model runs in a browser: on the CPU by WebAssembly, or on the GPU. */
export type PageProvider = "wasm" | "webgpu";

/** The providers that this browser has, the one to prefer for work first. */
export async function pageProviders(): Promise<PageProvider[]> {
  // Undefined in browsers without WebGPU, and on pages that are not secure.
  const gpu: GPU | undefined = navigator.gpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (!adapter) return ["wasm"];
  // Older browsers do not tell (Chrome before 127 has no `info`, and has the flag on the adapter itself).
  const { info, isFallbackAdapter }: { info?: GPUAdapterInfo; isFallbackAdapter?: boolean } = adapter;
  // A GPU in software is slower than the CPU that plays it.
  return (info?.isFallbackAdapter ?? isFallbackAdapter) ? ["wasm", "webgpu"] : ["webgpu", "wasm"];
}

/** How many threads work on the CPU: they share memory, which browsers allow on isolated pages only. */
export function threadCount(): number {
  return crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
}

/** What a provider is called on the page. */
export function nameOf(provider: PageProvider): string {
  if (provider === "webgpu") return "GPU (WebGPU)";
  const threads = threadCount();
  return threads === 1 ? "CPU (wasm, one thread)" : `CPU (wasm, ${threads} threads)`;
}

/** Offer providers in a field, the first one chosen. */
export function offerProviders(field: HTMLSelectElement, providers: readonly PageProvider[]): void {
  field.replaceChildren(...providers.map((provider) => new Option(nameOf(provider), provider)));
}
