/** The maximum number of classes: class numbers are stored in a byte. */
const MOST_CLASSES = 256;

/** The positions of the pictures in a folder, as `/`-separated parts of their paths. */
export interface Layout {
  /** All sub-folders at any depth. */
  readonly folders: readonly (readonly string[])[];
  readonly pictures: readonly (readonly string[])[];
}

/** The pictures that are used, and their classes. */
export interface Classes {
  /** Indices into `pictures`, in order. */
  readonly used: readonly number[];
  /** The class of each used picture, and the names of all classes; undefined if there are no classes. */
  readonly labels?: readonly number[];
  readonly classNames?: readonly string[];
  readonly remarks: readonly string[];
}

/**
 * Natural order: 2 before 10, upper case next to lower case. Ties are ordered by character code, so the order is the
 * same on every machine.
 */
const compareNaturally = new Intl.Collator("en", { numeric: true }).compare;
const naturally = (a: string, b: string) => compareNaturally(a, b) || (a < b ? -1 : 1);

/** Names of parts of a data set, which are probably not classes. */
const parts = new Set(["train", "training", "test", "testing", "val", "valid", "validation"]);

/**
 * The classes in a folder of pictures: one for each sub-folder, in natural order, if the pictures are in sub-folders.
 *
 * A single sub-folder that contains folders is used instead of the folder. Sub-folders without pictures keep their
 * number. A few pictures beside the sub-folders (at most a quarter of the others) are left out. If there are more, or
 * more than 256 sub-folders, there are no classes and all pictures are used.
 */
export function classesIn({ folders, pictures }: Layout): Classes {
  const all = pictures.map((_, place) => place);
  const depth = depthOfClasses({ folders, pictures });
  const classNames = folders
    .filter((path) => path.length === depth + 1)
    .map((path) => path[depth])
    .sort(naturally);
  const inFolder = all.filter((place) => pictures[place].length > depth + 1);
  const beside = all.filter((place) => pictures[place].length <= depth + 1);
  if (inFolder.length === 0) return { used: all, remarks: [] };
  const first = pictures[beside[0]]?.join("/");
  const pathsBeside = `${beside.length} ${beside.length === 1 ? "picture lies" : "pictures lie"} beside the sub-folders (${first})`;
  if (classNames.length > MOST_CLASSES) {
    const remark = `there are no classes: ${classNames.length} sub-folders are more than ${MOST_CLASSES}`;
    return { used: all, remarks: [remark] };
  }
  if (beside.length > 0 && (classNames.length < 2 || beside.length * 4 > inFolder.length)) {
    return { used: all, remarks: [`there are no classes: ${pathsBeside}`] };
  }
  const numbers = new Map(classNames.map((name, number) => [name, number]));
  const labels = inFolder.map((place) => numbers.get(pictures[place][depth])!);
  const remarks: string[] = [];
  if (beside.length > 0) remarks.push(`left out: ${pathsBeside}, which are the classes`);
  if (classNames.length > 1 && classNames.every((name) => parts.has(name.toLowerCase()))) {
    remarks.push(
      `the classes are called ${classNames.join(", ")}: to train on one of these, name its folder`,
    );
  }
  return { used: inFolder, labels, classNames, remarks };
}

/** The depth of the class folders, below folders that contain only one folder of folders. */
function depthOfClasses({ folders, pictures }: Layout): number {
  for (let depth = 0; ; depth++) {
    const here = folders.filter((path) => path.length === depth + 1);
    const below = folders.filter((path) => path.length === depth + 2);
    const isOnlyFolder = here.length === 1 && below.length > 1;
    if (!isOnlyFolder || pictures.some((path) => path.length <= depth + 2)) return depth;
  }
}
