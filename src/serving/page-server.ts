import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import sirv from "sirv";
import { GanOnnxError, messageOf, setting, text } from "../error.js";
import { NEWS, newsOf, pictureOf, RUN } from "./run-view.js";
import { listOf, RUNS, runAt, type ServedRuns } from "./runs-view.js";

/** The folder of the built page (`npm run build:web`), as in package.json. */
function builtPage(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("#page"));
  } catch (cause) {
    throw new GanOnnxError({
      what: "the page is not built",
      where: "serve",
      fix: "run `npm run build:web`",
      cause,
    });
  }
}
/** Reachable only from this machine. */
const HOST = "127.0.0.1";
const HOST6 = "::1";
/** The list of models that the page offers, and the sheet of the first one, which it shows until it can draw. */
const [LIST, FIRST_SHEET] = ["/models/index.json", "/models/first-sheet.png"];
const EMPTY = '<svg xmlns="http://www.w3.org/2000/svg"/>';

/** The inline scripts or styles of the page's HTML, by hash, as a content security policy names them. */
function inlined(folder: string, tag: "script" | "style"): string[] {
  const html = readFileSync(`${folder}/index.html`, "utf8");
  return Array.from(html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, "g")), ([, content]) => {
    return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
  });
}

/** A content security policy: only files of the page, its scripts and styles, WebAssembly and workers. */
const policyFor = (folder: string) => [
  "default-src 'none'",
  ["script-src 'self' 'wasm-unsafe-eval'", ...inlined(folder, "script")].join(" "),
  "worker-src 'self'",
  "connect-src 'self'",
  ["style-src 'self'", ...inlined(folder, "style")].join(" "),
  "img-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

const headersFor = (folder: string) => ({
  "Content-Security-Policy": policyFor(folder).join("; "),
  // These two headers isolate the page. Browsers allow threads only in isolated pages.
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  // Browsers must not cache: the page may be rebuilt, and another model may be served.
  "Cache-Control": "no-cache",
});

/** A model that is listed before the packaged models. */
export interface OfferedModel {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What is served in addition to the page's files. */
export interface Offers {
  readonly model?: OfferedModel;
  /** The folder of a run, shown on a separate page. */
  readonly run?: string;
  /** Several runs, compared on a separate page. */
  readonly runs?: ServedRuns;
}

export interface PageServer {
  /** The page to open: the run's page if a run is served. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serve the built page to this machine.
 *
 * @param port 0 for any free port.
 * @throws {@link GanOnnxError} when the page is not built or the port is in use.
 */
export async function servePage(
  port: number,
  offers: Offers = {},
  folder = builtPage(),
): Promise<PageServer> {
  if (!existsSync(`${folder}/index.html`)) {
    throw new GanOnnxError({ what: "the page is not built", where: folder, fix: "run `npm run build:web`" });
  }
  const answer = answerer(folder, offers);
  const server = limitedServer(answer);
  await listen(server, port);
  const { port: chosen } = server.address() as AddressInfo;
  // `localhost` may be an IPv4 or an IPv6 address. IPv6 is optional.
  const second = limitedServer(answer);
  await new Promise<void>((resolve) => {
    second.once("error", () => resolve());
    second.listen(chosen, HOST6, () => resolve());
  });
  return {
    url: `http://${HOST}:${chosen}/${offers.runs ? "runs.html" : offers.run === undefined ? "" : "run.html"}`,
    close: async () => {
      await Promise.all([server, second].map(ended));
    },
  };
}

/** Create a server with limits on slow and idle clients. */
function limitedServer(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Server {
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
    },
    answer,
  );
  server.maxConnections = 512;
  server.maxHeadersCount = 100;
  return server;
}

function ended(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function answerer(folder: string, { model, run, runs }: Offers) {
  // Look up files on each request, because the page may be rebuilt. Paths cannot leave the folder.
  const files = sirv(folder, { etag: true, dev: true });
  const extra = model ? offered(model, folder) : new Map<string, Answer>();
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(headersFor(folder))) response.setHeader(name, value);
    const { method = "", url = "" } = request;
    const [path, query] = url.split("?", 2);
    if (!isLocal(request.headers.host)) return refuse(response, 403);
    if (method !== "GET" && method !== "HEAD") return refuse(response.setHeader("Allow", "GET, HEAD"), 405);
    const answer =
      extra.get(path) ??
      (run === undefined ? undefined : await answerOfRun(run, path, query)) ??
      (runs && (await answerOfRuns(runs, path, query)));
    if (answer) {
      response.setHeader("Content-Type", answer.type).setHeader("Content-Length", answer.body.length);
      response.end(method === "HEAD" ? undefined : answer.body);
    } else if (path.startsWith(RUN) || path.startsWith("/runs/") || isHidden(path)) {
      // sirv would serve the page for the folder's name.
      refuse(response, 404);
    } else {
      // The page requests only whole files, and sirv crashes the program when a range ends before it begins.
      delete request.headers.range;
      try {
        // If a file is removed after the lookup, end only this response.
        response.on("pipe", (file: Readable) => file.on("error", () => response.destroy()));
        files(request, response, () => refuse(response, 404));
      } catch {
        refuse(response, 404);
      }
    }
  };
}

/** The news of a run, or one of its pictures. */
async function answerOfRun(run: string, path: string, query?: string): Promise<Answer | undefined> {
  if (path === NEWS) {
    const parameters = new URLSearchParams(query);
    const [from, scored] = [Number(parameters.get("from")), Number(parameters.get("scored"))];
    const news = await newsOf(run, {
      file: parameters.get("file") ?? "",
      from: Number.isSafeInteger(from) && from > 0 ? from : 0,
      scored: Number.isFinite(scored) ? scored : 0,
    });
    return json(news);
  }
  const body = path.startsWith(RUN) ? await pictureOf(run, path.slice(RUN.length)) : undefined;
  return body && { type: "image/png", body };
}

/** The list of the runs that are compared, or what one of them answers. */
async function answerOfRuns(runs: ServedRuns, path: string, query?: string): Promise<Answer | undefined> {
  if (path === RUNS) return json(await listOf(runs));
  const found = await runAt(runs, path);
  return found && answerOfRun(found.folder, found.rest, query);
}

interface Answer {
  readonly type: string;
  readonly body: Uint8Array;
}

/** The list of models with one more at the beginning, and that model. No sheet of it is drawn yet. */
function offered({ name, bytes }: OfferedModel, folder: string): Map<string, Answer> {
  const shipped: string[] = JSON.parse(readFileSync(folder + LIST, "utf8"));
  return new Map([
    [LIST, json([name, ...shipped.filter((other) => other !== name)])],
    [FIRST_SHEET, { type: "image/svg+xml", body: new TextEncoder().encode(EMPTY) }],
    [`/models/${encodeURIComponent(name)}`, { type: "application/octet-stream", body: bytes }],
  ]);
}

function json(value: unknown): Answer {
  return { type: "application/json", body: new TextEncoder().encode(JSON.stringify(value)) };
}

/** Whether a path contains a name that begins with a dot, or is malformed. */
function isHidden(path: string): boolean {
  try {
    return decodeURI(path).includes("/.");
  } catch {
    return true;
  }
}

/**
 * Protect against DNS rebinding: a page of another site may resolve its name to this machine, but the Host header
 * differs.
 */
function isLocal(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host ?? "");
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { "Content-Type": "text/plain" }).end(`${status}\n`);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const what = cause.code === "EADDRINUSE" ? "is in use" : `cannot be used (${messageOf(cause)})`;
      const fix = text`choose another ${setting("port")}, or 0 for any that is free`;
      reject(new GanOnnxError({ what, where: `port ${port}`, fix, cause }));
    });
    server.listen(port, HOST, resolve);
  });
}
