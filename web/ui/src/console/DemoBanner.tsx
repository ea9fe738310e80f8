import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { t } from "../lib/i18n";
import { board, useBoard } from "../lib/live";
import { useMay, useSession } from "../lib/session";
import { sayFailed } from "../lib/toasts";
import { simulate } from "../lib/verbs";
import { useAct } from "./useAct";

/** Nobody may take the demo for the city; whoever may, stops and starts its life. */
export function DemoBanner() {
  const { demo } = useSession();
  const may = useMay("simulation.control");
  useBoard();
  const { busy, act } = useAct();
  if (!demo) return null;
  const simulation = board.simulation();
  const running = simulation?.running ?? false;
  return (
    <div className="demo-banner">
      <strong>{t("demo.title")}</strong>
      <span>{simulation ? t(running ? "demo.running" : "demo.paused") : t("demo.still")}</span>
      {simulation && may && (
        <button type="button" disabled={busy} onClick={() => void act(() => simulate(!running).catch(sayFailed))}>
          {running ? <IconPlayerPause size={14} aria-hidden /> : <IconPlayerPlay size={14} aria-hidden />}
          {t(running ? "demo.pause" : "demo.resume")}
        </button>
      )}
    </div>
  );
}
