import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { producer } from "../src/version.js";

test("the version is that of package.json", () => {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(producer).toEqual({ name: manifest.name, version: manifest.version });
});
