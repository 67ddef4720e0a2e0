// Files of hyparquet are imported that its minor versions may change: package.json names one exact version.
import type { CompressionCodec, SchemaTree } from "hyparquet";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import type { DecodedArray, Encoding, PageHeader } from "hyparquet/src/types.js";
import { checkRuns, checkThrift, snappyLength, varintAt, within } from "./parquet-checks.js";

/** A column without lists, as the way to it from the root of the schema. */
export type Leaf = readonly SchemaTree[];

/** The part of a column that belongs to a group of rows. */
export interface Chunk {
  /** Its pages, each with a header. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly codec: CompressionCodec;
  /** The number of values, nulls included. */
  readonly rows: number;
  /** Counts bytes before they are allocated, and throws when there are too many. */
  readonly spend: (bytes: number) => void;
}

/** The encodings of which hyparquet allocates no more than the values' number. */
const encodings: readonly Encoding[] = [
  "PLAIN",
  "PLAIN_DICTIONARY",
  "RLE_DICTIONARY",
  "DELTA_BINARY_PACKED",
  "DELTA_LENGTH_BYTE_ARRAY",
];
/** The most fields of a page's header, statistics included. */
const MOST_FIELDS = 100;

/**
 * The values of a column in a group of rows, `null` or `undefined` where there is none.
 *
 * Pages are checked before hyparquet decodes them, because it allocates and repeats as often as they say.
 *
 * @throws Error when a page is damaged, or asks for more than its bytes can hold.
 */
export function valuesOf({ bytes, codec, rows, spend }: Chunk, leaf: Leaf): unknown[] {
  const { name, type, repetition_type } = leaf[leaf.length - 1].element;
  if (type === undefined) throw new Error(`the column ${name} has no type`);
  const decoder = {
    pathInSchema: leaf.slice(1).map(({ element }) => element.name),
    type,
    // Without the types of dates, texts and so on, values stay as they are stored.
    element: { name, type, repetition_type },
    schemaPath: [...leaf],
    codec: "UNCOMPRESSED" as const,
    parsers: DEFAULT_PARSERS,
    utf8: false,
  };
  const optional = leaf.slice(1).filter(({ element }) => element.repetition_type !== "REQUIRED").length;
  const values: unknown[] = [];
  let dictionary: DecodedArray | undefined;
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  while (values.length < rows) {
    checkThrift(bytes, reader.offset, MOST_FIELDS);
    const header = parquetHeader(reader);
    const { offset } = reader;
    reader.offset += within(header.compressed_page_size, bytes.length - offset, "bytes of a page");
    const levels = levelBytes(header);
    const page = plainPage(bytes.subarray(offset, reader.offset), header, levels, codec, spend);
    const count = countOf(header, header.type === "DICTIONARY_PAGE" ? rows : rows - values.length);
    if (header.type !== "DICTIONARY_PAGE") {
      if (count === 0) continue;
      checkPage(page, header, { optional, levels, count, dictionary: dictionary !== undefined });
    }
    const plain = {
      ...header,
      compressed_page_size: page.length,
      uncompressed_page_size: page.length,
      data_page_header_v2: header.data_page_header_v2 && {
        ...header.data_page_header_v2,
        is_compressed: false,
      },
    };
    const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
    const { data = [] } = readPage({ view, offset: 0 }, plain, decoder, dictionary, undefined, 0);
    if (data.length !== count) throw new Error(`a page has ${data.length} values in place of ${count}`);
    if (header.type === "DICTIONARY_PAGE") dictionary = data;
    else for (const value of data) values.push(unnested(value));
  }
  return values;
}

/** A value inside optional structures is alone in a list for each of them. */
const unnested = (value: unknown): unknown => (Array.isArray(value) ? unnested(value[0]) : value);

function countOf({ type, ...header }: PageHeader, most: number): number {
  if (type === "DICTIONARY_PAGE") {
    return within(header.dictionary_page_header?.num_values, most, "values of a dictionary");
  }
  const about = type === "DATA_PAGE" ? header.data_page_header : header.data_page_header_v2;
  return within(about?.num_values, most, "values of a page");
}

/** The number of bytes for levels that are never compressed, at the start of a page of version 2. */
function levelBytes({ type, compressed_page_size, data_page_header_v2 }: PageHeader): number {
  if (type !== "DATA_PAGE_V2") return 0;
  const what = "bytes of levels";
  const repetition = within(data_page_header_v2?.repetition_levels_byte_length, compressed_page_size, what);
  const most = compressed_page_size - repetition;
  return repetition + within(data_page_header_v2?.definition_levels_byte_length, most, what);
}

/** A page without compression. */
function plainPage(
  bytes: Uint8Array<ArrayBuffer>,
  header: PageHeader,
  levels: number,
  codec: CompressionCodec,
  spend: (bytes: number) => void,
): Uint8Array<ArrayBuffer> {
  if (codec === "UNCOMPRESSED" || header.data_page_header_v2?.is_compressed === false) return bytes;
  if (codec !== "SNAPPY") throw new Error(`unsupported compression: ${codec}`);
  const packed = bytes.subarray(levels);
  const size = within(header.uncompressed_page_size, Number.MAX_SAFE_INTEGER, "bytes of a page");
  if (size <= levels) return bytes.subarray(0, levels);
  const length = levels + snappyLength(packed);
  if (length !== size) throw new Error(`a page has ${length} bytes in place of ${size}`);
  spend(size);
  const page = new Uint8Array(size);
  page.set(bytes.subarray(0, levels));
  snappyUncompress(packed, page.subarray(levels));
  return page;
}

/** What is known of a page of data before it is decoded. */
interface About {
  /** The highest definition level. */
  readonly optional: number;
  /** See {@link levelBytes}. */
  readonly levels: number;
  readonly count: number;
  /** Whether there is a dictionary. */
  readonly dictionary: boolean;
}

/** Require that what hyparquet repeats and allocates for a page of data stays below its number of values. */
function checkPage(
  page: Uint8Array,
  header: PageHeader,
  { optional, levels, count, dictionary }: About,
): void {
  const first = header.type === "DATA_PAGE";
  const { encoding } = (first ? header.data_page_header : header.data_page_header_v2) ?? {};
  if (encoding === undefined || !encodings.includes(encoding)) {
    throw new Error(`unsupported encoding: ${encoding}`);
  }
  let start = levels;
  if (!first) within(header.data_page_header_v2?.num_nulls, count, "nulls of a page");
  if (optional > 0) {
    const width = 32 - Math.clz32(optional);
    if (first) {
      // The length of the levels comes before them.
      const length = new DataView(page.buffer, page.byteOffset, page.byteLength).getUint32(0, true);
      start = 4 + within(length, page.length - 4, "bytes of levels");
    }
    checkRuns(
      page,
      first ? 4 : (header.data_page_header_v2?.repetition_levels_byte_length ?? 0),
      width,
      count,
    );
  }
  if (encoding.endsWith("_DICTIONARY")) {
    if (!dictionary) throw new Error("a page has no dictionary");
    if (start < page.length) checkRuns(page, start + 1, page[start], count);
  }
  if (encoding.startsWith("DELTA_") && start < page.length) {
    const [, end] = varintAt(page, start);
    within(varintAt(page, end)[0], page.length, "parts of a block");
  }
}
