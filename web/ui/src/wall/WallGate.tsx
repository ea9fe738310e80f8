import { useEffect, useState, type ReactNode } from "react";
import { useStore } from "zustand";
import { Refusal, whenSessionOver } from "../lib/api";
import { t } from "../lib/i18n";
import { WALL_LATE_AFTER } from "../lib/link";
import { connect, sessionOver } from "../lib/live";
import { loadSession, openWall, session } from "../lib/session";
import { wallToken } from "../lib/wallToken";
import { WallMessage } from "./Wall";

const AGAIN = 5_000;
const OPENED_BY_LINK = "vigia.wall";

type Trouble = "wrong" | "somebody" | "revoked" | "away";

/** Nobody sits here to press a button: what passes by itself is tried again, what does not says what to do. */
export function WallGate({ children }: { children: ReactNode }) {
  const found = useStore(session, (state) => state.session);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let left = false;
    const enter = async (): Promise<void> => {
      try {
        const { feed, person } = wallToken.held === null ? await loadSession() : await openWall(wallToken.held);
        if (wallToken.held !== null) localStorage.setItem(OPENED_BY_LINK, "1");
        wallToken.held = null;
        if (left) return;
        whenSessionOver(sessionOver);
        connect(feed, person.role === "wall" ? WALL_LATE_AFTER : undefined);
      } catch (error) {
        if (left) return;
        const status = error instanceof Refusal ? error.status : 0;
        if (wallToken.held !== null && (status === 401 || status === 422)) setTrouble("wrong");
        else if (wallToken.held !== null && status === 409) setTrouble("somebody");
        else if (status === 401 && localStorage.getItem(OPENED_BY_LINK)) setTrouble("revoked");
        else if (status === 401) location.replace(`/ingresar?volver=${encodeURIComponent("/pared")}`);
        else {
          setTrouble("away");
          timer = setTimeout(() => void enter(), AGAIN);
        }
      }
    };
    void enter();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, []);

  if (found) return children;
  if (trouble === null) return <p className="page-message">{t("page.loading")}</p>;
  return <WallMessage title={t(`wall.gate.${trouble}`)} what={t(`wall.gate.${trouble}What`)} />;
}
