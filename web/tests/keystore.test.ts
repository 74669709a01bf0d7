// Key files: what other wallets write can be read, what the page writes others can read, and nothing halts a browser.
import encodeQR from "qr";
import decodeQR from "qr/decode.js";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { expect, test, vi } from "vitest";
import { addressIn, oneTimeCode, parseKeyFile, readCode, seal, unseal } from "../src/lib/keystore";

// The two examples of the Web3 Secret Storage Definition, version 3.
const KEY = "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const SCRYPT = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "83dbcc02d8ccb40e466191a123791e0e" },
    ciphertext: "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
    kdf: "scrypt",
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
    },
    mac: "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};
const PBKDF2 = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
    ciphertext: "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
    kdf: "pbkdf2",
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: "hmac-sha256",
      salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
    },
    mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};
const SLOW = 60_000;

test.each([
  ["scrypt", SCRYPT],
  ["pbkdf2", PBKDF2],
])(
  "the definition's example with %s opens",
  async (_, file) => {
    expect(await unseal(parseKeyFile(JSON.stringify(file)), "testpassword")).toBe(KEY);
  },
  SLOW,
);

test(
  "what is sealed opens with its passphrase alone, and costs a phone what was chosen",
  async () => {
    const key = generatePrivateKey();
    const file = parseKeyFile(JSON.stringify(await seal(key, "grüner Tee 茶", 1024)));
    expect(await unseal(file, "grüner Tee 茶")).toBe(key);
    await expect(unseal(file, "gruner Tee 茶")).rejects.toThrow("This passphrase does not open it.");
    expect(addressIn(file)?.toLowerCase()).toBe(privateKeyToAddress(key).toLowerCase());
    expect(JSON.stringify(file)).not.toContain(key.slice(2));
    expect((await seal(key, "x")).crypto.kdfparams).toMatchObject({ n: 2 ** 17, r: 1, p: 8 });
  },
  SLOW,
);

test("on a page that comes by plain http, where a browser makes no UUIDs, keys can be sealed", async () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  try {
    const file = await seal(KEY, "x", 1024);
    expect(file.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await unseal(parseKeyFile(JSON.stringify(file)), "x")).toBe(KEY);
  } finally {
    vi.unstubAllGlobals();
  }
});

// Its cost is lower than geth's; made with hashlib and PyCryptodome, and read by eth_keyfile.
const GETH = {
  ...SCRYPT,
  crypto: {
    ...SCRYPT.crypto,
    cipherparams: { iv: "000102030405060708090a0b0c0d0e0f" },
    ciphertext: "8739dfd5e242042fb6245f344ac058c104a0cc495d23e181681028f5dbbb49e1",
    kdfparams: { dklen: 32, n: 1024, r: 8, p: 1, salt: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" },
    mac: "8d0faccd12c6610f4ff279f91198e55211a6c6936be5e5f8919f1601fb23df3d",
  },
};
test("a file with geth's block size opens", async () => {
  expect(await unseal(parseKeyFile(JSON.stringify(GETH)), "geth")).toBe(KEY);
});

const changed = (change: object, inside: object = {}) =>
  JSON.stringify({ ...SCRYPT, ...change, crypto: { ...SCRYPT.crypto, ...inside } });
const costing = (params: object) => changed({}, { kdfparams: { ...SCRYPT.crypto.kdfparams, ...params } });

test.each([
  ["no JSON", "0x1234", "no key file"],
  ["null", "null", "no key file"],
  ["another version", changed({ version: 4 }), "no key file"],
  ["another cipher", changed({}, { cipher: "aes-128-cbc" }), "no key file"],
  ["a short key", changed({}, { ciphertext: "d172" }), "no key file"],
  ["no parameters", changed({}, { kdfparams: null }), "no key file"],
  ["more memory than there is", costing({ n: 2 ** 30 }), "more than a browser can do"],
  ["wide blocks", costing({ r: 2 ** 20 }), "more than a browser can do"],
  ["endless rounds", costing({ p: 1000 }), "more than a browser can do"],
  ["no number", costing({ n: "262144" }), "more than a browser can do"],
  ["another derivation", changed({}, { kdf: "argon2" }), "more than a browser can do"],
])("refused: %s", (_, text, words) => expect(() => parseKeyFile(text)).toThrow(words));

test("a code is typed in any way, and is another each time", () => {
  expect(readCode(" ab0de 1o345 ")).toBe("AB0DE-10345");
  expect(readCode("AB0DE-I2345")).toBe("AB0DE-12345");
  expect(readCode("a passphrase of words")).toBe("a passphrase of words");
  const codes = new Set(Array.from({ length: 50 }, oneTimeCode));
  expect(codes.size).toBe(50);
  for (const code of codes) {
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    expect(readCode(code)).toBe(code);
  }
});

test("a key file fits a QR code that can be read back", async () => {
  const text = JSON.stringify(await seal(generatePrivateKey(), oneTimeCode(), 1024));
  const [scale, border] = [4, 4];
  const modules = encodeQR(text, "raw", { ecc: "low", border });
  expect(modules.length).toBeLessThanOrEqual(85); // four pixels each on a phone 360 wide
  const size = modules.length * scale;
  const data = new Uint8ClampedArray(size * size * 4).fill(255);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (modules[Math.floor(y / scale)]![Math.floor(x / scale)]) data.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
    }
  }
  expect(decodeQR({ width: size, height: size, data })).toBe(text);
});
