import { find } from "./dom.js";

/** Cache the page in this browser, so that it opens offline, and show its version. */
export async function keepOffline(): Promise<void> {
  const place = find("#version", HTMLElement);
  try {
    const { version } = await (await fetch("version.json")).json();
    place.textContent = `Version ${version}.`;
    // Undefined on insecure pages.
    const container: ServiceWorkerContainer | undefined = navigator.serviceWorker;
    await container?.register("service-worker.js");
    if ((await container?.ready)?.active)
      place.textContent = `Version ${version}; it opens without a network, too.`;
  } catch {
    // The browser stores nothing, or there is no network. The page works without it.
  }
}
