import { Button } from "@mantine/core";
import { useCallback, useEffect, useState, type ReactNode } from "react";
import { useStore } from "zustand";
import { Refusal, whenSessionOver } from "./api";
import { explain } from "./explain";
import { t } from "./i18n";
import { connect, sessionOver } from "./live";
import { loadSession, session } from "./session";

/** Nobody passes without a session; with one, the live feed starts. */
export function Gate({ children }: { children: ReactNode }) {
  const found = useStore(session, (state) => state.session);
  const [failure, setFailure] = useState<string | null>(null);

  const load = useCallback(() => {
    setFailure(null);
    loadSession().then(
      ({ feed }) => {
        whenSessionOver(sessionOver);
        connect(feed);
      },
      (error: unknown) => {
        if (error instanceof Refusal && error.status === 401) location.replace(`/ingresar?volver=${encodeURIComponent(location.pathname)}`);
        else setFailure(explain(error));
      },
    );
  }, []);
  useEffect(load, [load]);

  if (found) return children;
  if (failure === null) return <p className="page-message">{t("page.loading")}</p>;
  return (
    <div className="page-message" role="alert">
      <p>{failure}</p>
      <Button onClick={load}>{t("action.retry")}</Button>
    </div>
  );
}
