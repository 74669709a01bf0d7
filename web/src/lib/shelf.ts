// Logs kept in the browser between visits, each piece with the hash of the block that it ends with.
import type { Hex } from "viem";
import type { RawLog } from "./rows";

/** All logs of the blocks `from` to `to`; `hash` is the last block's. */
export type Piece = { readonly from: number; readonly to: number; readonly hash: Hex; readonly logs: readonly RawLog[] };

export interface Shelf {
  /** In the order of blocks. */
  load(): Promise<Piece[]>;
  /** Adds a piece, in place of one that begins with the same block. */
  save(piece: Piece): Promise<void>;
  /** Drops the pieces that begin at a block or after it. */
  dropFrom(block: number): Promise<void>;
}

const STORE = "pieces";

const settled = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** A database of the browser for one deployment. Where there is none (a private window, a full disk) nothing is kept. */
export function shelfOf(deployment: string): Shelf {
  let opened: Promise<IDBDatabase> | undefined;
  async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    opened ??= (() => {
      const request = indexedDB.open(`tessera.logs.${deployment}`, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "from" });
      return settled(request);
    })();
    return (await opened).transaction(STORE, mode).objectStore(STORE);
  }
  return {
    load: () =>
      store("readonly")
        .then((pieces) => settled(pieces.getAll() as IDBRequest<Piece[]>))
        .catch(() => []),
    save: (piece) =>
      store("readwrite")
        .then((pieces) => settled(pieces.put(piece)))
        .then(() => {})
        .catch(() => {}),
    dropFrom: (block) =>
      store("readwrite")
        .then((pieces) => settled(pieces.delete(IDBKeyRange.lowerBound(block))))
        .catch(() => {}),
  };
}
