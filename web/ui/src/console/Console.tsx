import "./console.css";
import { lazy, Suspense, useEffect, useState } from "react";
import { useAttention } from "../lib/attention";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { useLink } from "../lib/live";
import { useInPast } from "../lib/moment";
import { ExpiredDialog } from "../lib/ui/ExpiredDialog";
import { Fence } from "../lib/ui/Fence";
import { LinkStrip } from "../lib/ui/LinkState";
import { Toasts } from "../lib/ui/Toasts";
import { useMay, useSession } from "../lib/session";
import { AlarmStrip } from "./AlarmStrip";
import { BusyDialog } from "./BusyDialog";
import { useRinging } from "./calls/CallCard";
import { Card } from "./Card";
import { DemoBanner } from "./DemoBanner";
import { back, desk, newIncident, openForm, useDesk, type Pane } from "./desk";
import { HandoverStrip } from "./handover/HandoverStrip";
import { KeySheet } from "./KeySheet";
import { keepApart } from "./layout/apart";
import { arrangeFor } from "./layout/arrangement";
import { DeskFoot } from "./layout/DeskFoot";
import { DeskGrid } from "./layout/DeskGrid";
import { StripFold } from "./layout/StripFold";
import { UnitMenu } from "./layout/UnitMenu";
import { MajorStrip } from "./MajorStrip";
import { MapPane } from "./MapPane";
import { MoveUps } from "./MoveUps";
import { Queue } from "./Queue";
import { RadioBook } from "./RadioLog";
import { PastReason, ReplayBar } from "./ReplayBar";
import { Search } from "./Search";
import { Sheets } from "./Sheets";
import { SosBanner } from "./SosBanner";
import { SoundBar } from "./SoundBar";
import { StormStrip } from "./StormStrip";
import { TopBar } from "./TopBar";

const Supervision = lazy(() => import("./supervision/Supervision").then(({ Supervision: column }) => ({ default: column })));

const PANES: Pane[] = ["queue", "map", "card", "units"];

export function Console() {
  const { person } = useSession();
  useState(() => arrangeFor(person));
  const past = useInPast();
  const mayOpen = useMay("incident.open");
  const mayClose = useMay("closure.draw");
  const panes: Pane[] = useDesk((state) => state.layout) === "supervision" ? ["supervision", ...PANES] : PANES;
  const wanted = useDesk((state) => state.pane);
  const pane = panes.includes(wanted) ? wanted : "queue";
  const selected = useDesk((state) => `${state.selected ?? ""}:${state.form ?? ""}`);
  const link = useLink((state) => state.name);
  useRinging(newIncident, mayOpen);
  useKey("b", () => openForm("closure"), mayClose);
  useKey("escape", back);
  useKey("enter", () => document.getElementById("card")?.focus());
  useAttention();
  useEffect(keepApart, []);
  return (
    <div className={`console console-${link}${past ? " console-past" : ""}`} data-pane={pane}>
      <TopBar />
      <section className="strips" aria-label={t("layout.room")}>
        <ReplayBar />
        {!past && <SosBanner />}
        <LinkStrip />
        <SoundBar />
        <HandoverStrip />
        {!past && (
          <StripFold>
            <AlarmStrip />
            <StormStrip />
            <MajorStrip />
            <MoveUps />
          </StripFold>
        )}
        <DemoBanner />
      </section>
      <main className="console-main">
        <DeskGrid
          parts={{
            supervision: (
              <Fence>
                {past ? (
                  <PastReason words={t("replay.rests.supervision")} />
                ) : (
                  <Suspense fallback={<p className="card-empty">{t("page.loading")}</p>}>
                    <Supervision />
                  </Suspense>
                )}
              </Fence>
            ),
            queue: (
              <Fence>
                <Queue />
              </Fence>
            ),
            map: (
              <Fence>
                <MapPane />
              </Fence>
            ),
            card: (
              <Fence resetKey={selected}>
                <Card />
              </Fence>
            ),
          }}
        />
      </main>
      <DeskFoot />
      <nav className="pane-tabs" aria-label={t("pane.title")}>
        {panes.map((each) => (
          <button key={each} type="button" aria-current={pane === each || undefined} onClick={() => desk.setState({ pane: each })}>
            {t(`pane.${each}`)}
          </button>
        ))}
      </nav>
      <Toasts />
      <UnitMenu />
      <BusyDialog />
      <KeySheet />
      <Sheets />
      <RadioBook />
      <Search />
      <ExpiredDialog />
    </div>
  );
}
