/** The version of the page's files, and their names. The build fills in both. */
const version = "VERSION";
const files = ["FILES"];
const name = `gan-onnx ${version}`;

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(files)));
});

addEventListener("activate", (event) => {
  const others = async () => {
    const old = (await caches.keys()).filter((key) => key.startsWith("gan-onnx ") && key !== name);
    await Promise.all(old.map((key) => caches.delete(key)));
    await clients.claim();
  };
  event.waitUntil(others());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // What is new of a run is never the same twice.
  const served = url.origin === location.origin && !/\/runs?(\.json|\/)/.test(url.pathname);
  if (request.method === "GET" && served) event.respondWith(answerTo(request, url));
});

/** Some hosts answer every unknown path with an HTML page: that is not the file. */
function isOfPage(response, pathname) {
  if (!response.ok || response.type !== "basic") return false;
  const html = (response.headers.get("content-type") ?? "").startsWith("text/html");
  return !html || /(\/|\.html)$/.test(pathname);
}

/**
 * Files with a hash in their name come from the cache. Others come from the network, or from the cache when offline.
 */
async function answerTo(request, { pathname }) {
  const cache = await caches.open(name);
  const kept = () => cache.match(request, { ignoreSearch: request.mode === "navigate" });
  if (pathname.includes("/assets/")) {
    const found = await kept();
    if (found) return found;
  }
  try {
    const response = await fetch(request);
    if (isOfPage(response, pathname)) {
      // A full storage keeps nothing; the page works without it.
      cache.put(request, response.clone()).catch(() => {});
    }
    return response;
  } catch (error) {
    const found =
      (await kept()) ?? (request.mode === "navigate" ? await cache.match("index.html") : undefined);
    if (found) return found;
    throw error;
  }
}
