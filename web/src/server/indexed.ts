/** One store of an IndexedDB, with promises; what takes too long has failed. */

export interface Shelf<T> {
  put(key: string, value: T): Promise<void>;
  remove(key: string): Promise<void>;
  all(): Promise<readonly T[]>;
}

const STORE = "items";
/** Milliseconds; another window, or a damaged profile, may hold a database up for ever. */
const PATIENCE = 3000;

/**
 * Values by key, for as long as the browser has room.
 *
 * @param factory Undefined where there is none; every call fails then.
 */
export function indexedShelf<T>(name: string, factory: IDBFactory | undefined): Shelf<T> {
  let opening: Promise<IDBDatabase> | null = null;

  const database = () => {
    opening ??= open(name, factory, () => {
      opening = null;
    });
    return opening;
  };
  const act = async <R>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<R>,
  ): Promise<R> => {
    try {
      return await inTime(transact(await inTime(database()), mode, work));
    } catch (error) {
      opening = null; // it may be gone, or come back; the next call opens it anew
      throw error;
    }
  };

  return {
    async put(key, value) {
      await act("readwrite", (store) => store.put(value, key));
    },
    async remove(key) {
      await act("readwrite", (store) => store.delete(key));
    },
    all: () => act<T[]>("readonly", (store) => store.getAll() as IDBRequest<T[]>),
  };
}

function open(
  name: string,
  factory: IDBFactory | undefined,
  gone: () => void,
): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    if (!factory) return failed(new Error("there is no IndexedDB"));
    const request = factory.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onerror = () => failed(request.error);
    request.onsuccess = () => {
      const database = request.result;
      database.onclose = gone;
      database.onversionchange = () => {
        database.close();
        gone();
      };
      done(database);
    };
  });
}

/** A value counts as kept when its transaction is complete: until then the disk may be full. */
function transact<R>(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<R>,
): Promise<R> {
  return new Promise((done, failed) => {
    const transaction = database.transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    transaction.oncomplete = () => done(request.result);
    transaction.onabort = () => failed(transaction.error ?? new Error("it was called off"));
    transaction.onerror = () => failed(transaction.error ?? request.error);
  });
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((done, failed) => {
    const late = () => failed(new Error("the browser does not answer"));
    const timer = setTimeout(late, PATIENCE);
    work.then(done, failed).finally(() => clearTimeout(timer));
  });
}
