/** As much of an IndexedDB as one store of values needs; it may be full, or never answer. */

type Call = (() => void) | null;

export class FakeIndexed {
  readonly items = new Map<string, unknown>();
  full = false;
  hangs = false;
  opened = 0;
  /** As if the user cleared the site's data. */
  lose: () => void = () => {};

  factory(): IDBFactory {
    return { open: () => this.#open() } as unknown as IDBFactory;
  }

  #open() {
    this.opened += 1;
    const database = {
      createObjectStore: () => {},
      close: () => {},
      onclose: null as Call,
      transaction: () => this.#transaction(),
    };
    this.lose = () => database.onclose?.();
    return this.#request(database, true);
  }

  #transaction() {
    const transaction = {
      oncomplete: null as Call,
      onabort: null as Call,
      onerror: null as Call,
      error: new DOMException("no room", "QuotaExceededError"),
      objectStore: () => ({
        put: (value: unknown, key: string) =>
          act(() => void this.items.set(key, structuredClone(value))),
        delete: (key: string) => act(() => void this.items.delete(key)),
        getAll: () => act(() => [...this.items.values()]),
      }),
    };
    const act = (work: () => unknown) => {
      const request = { result: undefined as unknown };
      later(this, () => {
        if (this.full) return transaction.onabort?.();
        request.result = work();
        transaction.oncomplete?.();
      });
      return request;
    };
    return transaction;
  }

  #request(result: unknown, fresh: boolean) {
    const request = { result, onsuccess: null as Call, onupgradeneeded: null as Call };
    later(this, () => {
      if (fresh) request.onupgradeneeded?.();
      request.onsuccess?.();
    });
    return request;
  }
}

function later(indexed: FakeIndexed, call: () => void) {
  if (!indexed.hangs) queueMicrotask(call);
}
