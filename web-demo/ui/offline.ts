import { find } from "./dom.js";

/** Keep the page in this browser, so that it opens without a network, and say which version it is. */
export async function keepOffline(): Promise<void> {
  const place = find("#version", HTMLElement);
  try {
    const { version } = await (await fetch("version.json")).json();
    place.textContent = `Version ${version}.`;
    // Not there on pages that are not secure.
    const container: ServiceWorkerContainer | undefined = navigator.serviceWorker;
    await container?.register("service-worker.js");
    if ((await container?.ready)?.active)
      place.textContent = `Version ${version}; it opens without a network, too.`;
  } catch {
    // This browser keeps nothing, or there is no network; the page works as it is.
  }
}
