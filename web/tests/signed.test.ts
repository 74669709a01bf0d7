// What is signed about sessions: viem, with the types that scripts/export_abi.py writes, gives the digests and
// signatures of tests/vectors/sessions.json, which Python and the contract give too.
import {
  headFields,
  firstHeadFields,
  offerLayout,
  packOffer,
  reportsDomain,
  reportTypes,
  sessionsDomain,
  sessionTypes,
  unpackOffer,
} from "@tessera/abi";
import {
  concat,
  encodeAbiParameters,
  hashTypedData,
  type Hex,
  keccak256,
  parseSignature,
  signatureToCompactSignature,
  toHex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import vectors from "../../tests/vectors/sessions.json";

type Case = {
  name: string;
  type: string;
  message: Record<string, unknown>;
  digest: string;
  signature: string;
  r: string;
  vs: string;
};

const signer = privateKeyToAccount(vectors.signer.key as Hex);
const sessions = { ...sessionsDomain, chainId: vectors.chain_id, verifyingContract: vectors.contract as Hex };
const reports = { ...reportsDomain, chainId: vectors.chain_id, verifyingContract: vectors.panels as Hex };

// Numbers are decimal text in the file.
const read = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(read)
    : value !== null && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, read(item)]))
      : typeof value === "string" && /^-?\d+$/.test(value)
        ? BigInt(value)
        : value;

const all: [string, Case, object][] = [
  ...vectors.signed.map((one): [string, Case, object] => [one.name, one, { domain: sessions, types: sessionTypes }]),
  ...vectors.reports.map((one): [string, Case, object] => [one.name, one, { domain: reports, types: reportTypes }]),
];

test.each(all)("%s", async (_, item, about) => {
  const typed = { ...about, primaryType: item.type, message: read(item.message) } as Parameters<typeof hashTypedData>[0];
  expect(hashTypedData(typed)).toBe(item.digest);
  const signature = await signer.signTypedData(typed);
  expect(signature).toBe(item.signature);
  const { r, yParityAndS } = signatureToCompactSignature(parseSignature(signature));
  expect([BigInt(r), BigInt(yParityAndS)]).toEqual([BigInt(item.r), BigInt(item.vs)]);
});

test("every type is in the vectors", () => {
  const inside = ["OpenBet", "Choice"];
  expect(new Set([...vectors.signed.map((one) => one.type), ...inside])).toEqual(new Set(Object.keys(sessionTypes)));
});

test.each(vectors.offers.map((terms, i) => [terms, vectors.signed[i]!.message] as const))("an offer's words", (terms, words) => {
  const offer = read(terms) as Parameters<typeof packOffer>[0];
  expect(packOffer(offer)).toEqual(read(words));
  const back = unpackOffer(packOffer(offer));
  for (const { field } of offerLayout) expect(BigInt(back[field])).toBe(BigInt(offer[field]));
});

test("a number that has no room in an offer is refused", () => {
  const offer = read(vectors.offers[0]) as Parameters<typeof packOffer>[0];
  for (const { field, bits } of offerLayout) {
    expect(() => packOffer({ ...offer, [field]: 1n << BigInt(bits) })).toThrow(`${field} has ${bits} bits`);
    expect(() => packOffer({ ...offer, [field]: -1n })).toThrow(RangeError);
  }
});

test("the heads of a record", () => {
  const { stream_id, lines, heads } = vectors.record;
  const first = [BigInt(vectors.chain_id), vectors.contract as Hex, BigInt(stream_id)] as const;
  const found = [keccak256(encodeAbiParameters(firstHeadFields, first))];
  for (const line of lines) {
    const { n, kind, epoch, question, leaf } = read(line) as Record<"n" | "kind" | "epoch", bigint> & {
      question: Hex;
      leaf: Hex;
    };
    found.push(keccak256(encodeAbiParameters(headFields, [found.at(-1)!, n, kind, epoch, question, leaf])));
  }
  expect(found).toEqual(heads);
});

test("the key of a book", () => {
  const { question, root, key } = vectors.book;
  expect(keccak256(concat([toHex("book"), question as Hex, root as Hex]))).toBe(key);
});
