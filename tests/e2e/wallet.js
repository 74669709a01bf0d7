([account, rpc]) => {
  // An EIP-1193 and EIP-6963 wallet of a test: the node sends, the test signs. `window.testWallet` is for tests to trouble the page with.
  const state = (window.testWallet = { chainId: "0x7a69", rejects: false, batches: false, calls: [] });
  const listeners = { accountsChanged: new Set(), chainChanged: new Set(), disconnect: new Set() };
  state.goTo = (chainId) => {
    state.chainId = chainId;
    for (const listener of listeners.chainChanged) listener(chainId);
    return null;
  };
  const provider = {
    on: (event, listener) => listeners[event]?.add(listener),
    removeListener: (event, listener) => listeners[event]?.delete(listener),
    async request({ method, params }) {
      state.calls.push(method);
      if (method === "eth_requestAccounts" || method === "eth_accounts") return [account];
      if (method === "eth_chainId") return state.chainId;
      if (state.rejects && /^(eth_(send|sign)|personal_|wallet_)/.test(method)) throw { code: 4001, message: "User rejected the request." };
      if (method === "wallet_switchEthereumChain") return state.goTo(params[0].chainId);
      if (method === "eth_signTypedData_v4") return window.testSign(params[1]);
      if (method === "personal_sign") return window.testSignText(params[0]);
      if (method === "wallet_getCapabilities" && state.batches) return { "0x7a69": { atomic: { status: "supported" } } };
      if (method === "wallet_sendCalls" && state.batches) {
        const { from, calls } = params[0];
        const hashes = [];
        for (const call of calls) hashes.push(await provider.request({ method: "eth_sendTransaction", params: [{ from, ...call }] }));
        return { id: hashes.at(-1) };
      }
      if (method === "wallet_getCallsStatus" && state.batches) {
        const receipt = await provider.request({ method: "eth_getTransactionReceipt", params });
        const { status, logs, blockHash, blockNumber, gasUsed, transactionHash } = receipt;
        const receipts = [{ status, logs, blockHash, blockNumber, gasUsed, transactionHash }];
        return { version: "2.0.0", id: params[0], chainId: "0x7a69", status: 200, atomic: true, receipts };
      }
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
      const answer = await (await fetch(rpc, { method: "POST", headers: { "Content-Type": "application/json" }, body })).json();
      if (answer.error) throw answer.error;
      return answer.result;
    },
  };
  const info = { uuid: "3f1c1d2e-0000-4000-8000-000000000001", name: "Test wallet", icon: "", rdns: "test.wallet" };
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  window.addEventListener("eip6963:requestProvider", announce);
}
