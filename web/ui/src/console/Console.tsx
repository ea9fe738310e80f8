import "./console.css";
import { useEffect } from "react";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useBoard, useLink } from "../lib/live";
import { isUnacknowledged } from "../lib/queue";
import { ExpiredDialog } from "../lib/ui/ExpiredDialog";
import { Fence } from "../lib/ui/Fence";
import { LinkStrip } from "../lib/ui/LinkState";
import { Toasts } from "../lib/ui/Toasts";
import { useMay } from "../lib/session";
import { AlarmStrip } from "./AlarmStrip";
import { BusyDialog } from "./BusyDialog";
import { Card } from "./Card";
import { DemoBanner } from "./DemoBanner";
import { back, desk, newIncident, openForm, useDesk, type Pane } from "./desk";
import { KeySheet } from "./KeySheet";
import { MajorBoard } from "./MajorBoard";
import { MajorStrip } from "./MajorStrip";
import { MapPane } from "./MapPane";
import { MoveUps } from "./MoveUps";
import { Queue } from "./Queue";
import { SosBanner } from "./SosBanner";
import { StormStrip } from "./StormStrip";
import { TopBar } from "./TopBar";
import { UnitStrip } from "./UnitStrip";

const PANES: Pane[] = ["queue", "map", "card", "units"];

export function Console() {
  const mayOpen = useMay("incident.open");
  const mayClose = useMay("closure.draw");
  const pane = useDesk((state) => state.pane);
  const selected = useDesk((state) => `${state.selected ?? ""}:${state.form ?? ""}`);
  const link = useLink((state) => state.name);
  useKey("n", () => newIncident(), mayOpen);
  useKey("b", () => openForm("closure"), mayClose);
  useKey("escape", back);
  useKey("enter", () => document.getElementById("card")?.focus());
  useTitle();
  return (
    <div className={`console console-${link}`} data-pane={pane}>
      <TopBar />
      <div className="strips">
        <SosBanner />
        <LinkStrip />
        <AlarmStrip />
        <StormStrip />
        <MajorStrip />
        <MoveUps />
        <DemoBanner />
      </div>
      <main className="console-main">
        <Fence>
          <Queue />
        </Fence>
        <Fence>
          <MapPane />
        </Fence>
        <Fence resetKey={selected}>
          <Card />
        </Fence>
      </main>
      <Fence>
        <UnitStrip />
      </Fence>
      <nav className="pane-tabs" aria-label={t("pane.title")}>
        {PANES.map((each) => (
          <button key={each} type="button" aria-current={pane === each || undefined} onClick={() => desk.setState({ pane: each })}>
            {t(`pane.${each}`)}
          </button>
        ))}
      </nav>
      <Fence>
        <MajorBoard />
      </Fence>
      <Toasts />
      <BusyDialog />
      <KeySheet />
      <ExpiredDialog />
    </div>
  );
}

/** A tab in the background still says that something waits. */
function useTitle() {
  const revision = useBoard();
  useEffect(() => {
    const danger = board.sos().find(({ answered_at }) => answered_at === null);
    if (danger) {
      document.title = t("sos.page", { unit: danger.call_sign });
      return;
    }
    const hot = board.incidents().filter((incident) => !incident.masked && incident.priority === 1 && isUnacknowledged(incident)).length;
    document.title = hot > 0 ? t("page.consoleHot", { n: hot }) : t("page.console");
  }, [revision]);
}
