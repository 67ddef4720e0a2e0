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

/** Where `npm run build:web` puts the page: package.json says so. */
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
/** Reachable from this machine only. */
const HOST = "127.0.0.1";
const HOST6 = "::1";
/** The list that the page chooses its models from. */
const LIST = "/models/index.json";

/** The scripts that lie inside the page's HTML, as a policy names them: by what they are. */
function inlineScripts(folder: string): string[] {
  const html = readFileSync(`${folder}/index.html`, "utf8");
  return Array.from(html.matchAll(/<script>([\s\S]*?)<\/script>/g), ([, script]) => {
    return `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
  });
}

/** Files of the page and nothing else; no script but its own, WebAssembly and workers of its own allowed. */
const policyFor = (folder: string) => [
  "default-src 'none'",
  ["script-src 'self' 'wasm-unsafe-eval'", ...inlineScripts(folder)].join(" "),
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

const headersFor = (folder: string) => ({
  "Content-Security-Policy": policyFor(folder).join("; "),
  // These two isolate the page, and only isolated pages get threads.
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  // The page may be built again, and another model given, while a browser remembers this one.
  "Cache-Control": "no-cache",
});

/** A model that is offered before those that came with the page. */
export interface OfferedModel {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What is served beside the page's files. */
export interface Offers {
  readonly model?: OfferedModel;
  /** The folder of a run, to show on a page of its own. */
  readonly run?: string;
}

export interface PageServer {
  /** The page to open: the run's if there is one. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serve the built page to this machine.
 *
 * @param port 0 for any that is free.
 * @throws GanOnnxError when the page is not built or the port is in use.
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
  // `localhost` may mean either family. A machine without the second has the first.
  const second = limitedServer(answer);
  await new Promise<void>((resolve) => {
    second.once("error", () => resolve());
    second.listen(chosen, HOST6, () => resolve());
  });
  return {
    url: `http://${HOST}:${chosen}/${offers.run === undefined ? "" : "run.html"}`,
    close: async () => {
      await Promise.all([server, second].map(ended));
    },
  };
}

/** A server that slow and idle clients cannot keep busy. */
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

function answerer(folder: string, { model, run }: Offers) {
  // The page may be built again meanwhile: each request looks for its file. No path leads out of the folder.
  const files = sirv(folder, { etag: true, dev: true });
  const extra = model ? offered(model, folder) : new Map<string, Answer>();
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(headersFor(folder))) response.setHeader(name, value);
    const { method = "", url = "" } = request;
    const [path, query] = url.split("?", 2);
    if (!isLocal(request.headers.host)) return refuse(response, 403);
    if (method !== "GET" && method !== "HEAD") return refuse(response.setHeader("Allow", "GET, HEAD"), 405);
    const answer = extra.get(path) ?? (run === undefined ? undefined : await answerOfRun(run, path, query));
    if (answer) {
      response.setHeader("Content-Type", answer.type).setHeader("Content-Length", answer.body.length);
      response.end(method === "HEAD" ? undefined : answer.body);
    } else if (path.startsWith(RUN) || isHidden(path)) {
      // sirv would take the folder's name for the page's.
      refuse(response, 404);
    } else {
      // The page asks for whole files; sirv would end the program over a range that ends before it begins.
      delete request.headers.range;
      try {
        // What went away since it was looked for ends the answer, and nothing else.
        response.on("pipe", (file: Readable) => file.on("error", () => response.destroy()));
        files(request, response, () => refuse(response, 404));
      } catch {
        refuse(response, 404);
      }
    }
  };
}

/** What is new of a run, or one of its pictures. */
async function answerOfRun(run: string, path: string, query?: string): Promise<Answer | undefined> {
  if (path === NEWS) {
    const asked = new URLSearchParams(query);
    const from = Number(asked.get("from"));
    const news = await newsOf(run, {
      file: asked.get("file") ?? "",
      from: Number.isSafeInteger(from) && from > 0 ? from : 0,
    });
    return json(news);
  }
  const body = path.startsWith(RUN) ? await pictureOf(run, path.slice(RUN.length)) : undefined;
  return body && { type: "image/png", body };
}

interface Answer {
  readonly type: string;
  readonly body: Uint8Array;
}

/** The list of models with one more before the others, and that one. */
function offered({ name, bytes }: OfferedModel, folder: string): Map<string, Answer> {
  const shipped: string[] = JSON.parse(readFileSync(folder + LIST, "utf8"));
  return new Map([
    [LIST, json([name, ...shipped.filter((other) => other !== name)])],
    [`/models/${encodeURIComponent(name)}`, { type: "application/octet-stream", body: bytes }],
  ]);
}

function json(value: unknown): Answer {
  return { type: "application/json", body: new TextEncoder().encode(JSON.stringify(value)) };
}

/** Whether a path leads to a file or through a folder whose name begins with a dot, or is none. */
function isHidden(path: string): boolean {
  try {
    return decodeURI(path).includes("/.");
  } catch {
    return true;
  }
}

/** A page of another site may give its own name this machine's address; the name it asks for tells it apart. */
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
