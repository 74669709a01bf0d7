// Making keys and signing with them: loaded by whoever has an account of this browser.
export { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
