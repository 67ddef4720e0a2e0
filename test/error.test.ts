import { describe, expect, test } from "vitest";
import { flagOf } from "../src/config.js";
import { GanOnnxError, messageOf, setting, text } from "../src/error.js";

describe("the settings in a message", () => {
  const error = new GanOnnxError({
    what: "a number is NaN",
    where: text`${setting("batchSize", 1)} in {braces} of ${"a file"}`,
    fix: text`lower ${setting("learningRate")}, or ${2} others`,
  });

  test("are called what whoever prints it calls them: in words unless told otherwise", () => {
    const inWords = "batch size 1 in {braces} of a file: a number is NaN; lower learning rate, or 2 others";
    expect(error.message).toBe(inWords);
    expect(messageOf(error)).toBe(inWords);
    expect(messageOf(error, flagOf)).toBe(
      "--batch-size 1 in {braces} of a file: a number is NaN; lower --learning-rate, or 2 others",
    );
  });

  test("tell which one the error is about: the first that it names as its place", () => {
    expect(error.setting).toBe("batchSize");
    const elsewhere = new GanOnnxError({ what: "is wrong", where: "x", fix: text`lower ${setting("seed")}` });
    expect(elsewhere.setting).toBeUndefined();
  });
});

test("what is no error of ours keeps its first line", () => {
  expect(messageOf(new Error("one\ntwo"), flagOf)).toBe("one");
  expect(messageOf("three")).toBe("three");
});
