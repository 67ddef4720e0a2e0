import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import type { RemoteFile } from "../../src/data/download.node.js";

/** The folder of the real MNIST files, or undefined where they are not. */
export const realMnist = [process.env.GAN_ONNX_TEST_MNIST ?? resolve("..", "shared", "data", "mnist")].find(
  (folder) => existsSync(join(folder, "train-images-idx3-ubyte.gz")),
);

/** A new empty folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gan-onnx-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function remoteFile(name: string, content: Uint8Array): RemoteFile {
  return { name, bytes: content.length, md5: createHash("md5").update(content).digest("hex") };
}

/** The address of a real server on this machine, and the requests that it has had. */
export async function mirror(listener: RequestListener) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url!.slice(1));
    listener(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
}
