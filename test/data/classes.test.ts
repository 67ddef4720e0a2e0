import { expect, test } from "vitest";
import { classesIn } from "../../src/data/classes.js";

const layout = (folders: readonly string[], pictures: readonly string[]) => ({
  folders: folders.map((path) => path.split("/")),
  pictures: pictures.map((path) => path.split("/")),
});

test("empty folders keep their number", () => {
  const { labels, classNames } = classesIn(layout(["a", "b", "c"], ["a/1.png", "c/2.png"]));
  expect(classNames).toEqual(["a", "b", "c"]);
  expect(labels).toEqual([0, 2]);
});

test("one folder of folders stands for the whole", () => {
  const { labels, classNames } = classesIn(
    layout(
      ["set", "set/cat", "set/dog", "set/dog/old"],
      ["set/cat/1.png", "set/dog/2.png", "set/dog/old/3.png"],
    ),
  );
  expect(classNames).toEqual(["cat", "dog"]);
  expect(labels).toEqual([0, 1, 1]);
  const flat = classesIn(layout(["set", "set/more"], ["set/1.png", "set/more/2.png"]));
  expect(flat.classNames).toEqual(["set"]);
});

test("a few pictures beside the classes are left out and named", () => {
  const folders = ["a", "b"];
  const pictures = ["a/1.png", "a/2.png", "b/1.png", "b/2.png", "stray.png"];
  expect(classesIn(layout(folders, pictures))).toMatchObject({
    used: [0, 1, 2, 3],
    labels: [0, 0, 1, 1],
    remarks: ["left out: 1 picture lies beside the sub-folders (stray.png), which are the classes"],
  });
  expect(classesIn(layout(folders, [...pictures, "more.png"]))).toEqual({
    used: [0, 1, 2, 3, 4, 5],
    remarks: ["there are no classes: 2 pictures lie beside the sub-folders (stray.png)"],
  });
  expect(
    classesIn(layout(["a"], ["a/1.png", "a/2.png", "a/3.png", "a/4.png", "stray.png"])).labels,
  ).toBeUndefined();
});

test("parts of a data set that look like classes are told", () => {
  const { classNames, remarks } = classesIn(layout(["Test", "train"], ["train/a.png", "Test/b.png"]));
  expect(classNames).toEqual(["Test", "train"]);
  expect(remarks).toEqual(["the classes are called Test, train: to train on one of these, name its folder"]);
});

test("names that the language holds for equal have an order all the same", () => {
  const { classNames } = classesIn(layout(["01", "1", "a"], ["01/x.png", "1/x.png", "a/x.png"]));
  expect(classNames).toEqual(["01", "1", "a"]);
});
