import { useCallback, useState } from "react";
import { explain } from "../lib/explain";

/** One act at a time, with its words when it is refused. */
export function useAct() {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const act = useCallback(async <T,>(work: () => Promise<T>): Promise<T | null> => {
    setBusy(true);
    setFailure(null);
    try {
      return await work();
    } catch (error) {
      setFailure(explain(error));
      return null;
    } finally {
      setBusy(false);
    }
  }, []);
  return { busy, failure, act, setFailure };
}
