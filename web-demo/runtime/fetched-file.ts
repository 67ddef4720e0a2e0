import { GanOnnxError, messageOf } from "../../src/error.js";

const fix = "copy all files of the page to the server";

/**
 * A file of the page.
 *
 * @throws {@link GanOnnxError} when the server does not have it, or answers with a page in its place.
 */
export async function fetchedFile(path: string): Promise<Response> {
  const response = await fetch(path).catch((cause: unknown) => {
    const what = `cannot be loaded (${messageOf(cause)})`;
    const fix = "check the connection, then reload the page";
    throw new GanOnnxError({ what, where: lastPart(path), fix, cause });
  });
  if (!response.ok) {
    throw new GanOnnxError({ what: `the server answers ${response.status}`, where: lastPart(path), fix });
  }
  if (response.headers.get("content-type")?.startsWith("text/html")) throw notTheFile(path);
  return response;
}

/** Some hosts answer every unknown path with the page itself. */
export function notTheFile(path: string): GanOnnxError {
  return new GanOnnxError({
    what: "the server answers with something else",
    where: lastPart(path),
    fix,
  });
}

/** A path below the page as it is, a URL by its file. */
function lastPart(path: string): string {
  return /^https?:/.test(path) ? path.slice(path.lastIndexOf("/") + 1) : path;
}
