import { Button, Menu } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import type { Placed } from "../lib/board";
import { useCatalogue } from "../lib/catalogue";
import { hourSeconds, placeLine } from "../lib/format";
import { t, word } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { useInPast } from "../lib/moment";
import type { Editing } from "../lib/presence";
import { isOver, isUnacknowledged } from "../lib/queue";
import { useGranted, useMay } from "../lib/session";
import { say, sayFailed, undoOf } from "../lib/toasts";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { TargetTimer } from "../lib/ui/Timer";
import { finish, underControl } from "../lib/verbs";
import type { Incident, UndoOffer } from "../lib/wire";
import { Assignments } from "./Assignments";
import { Premises } from "./calls/Premises";
import { CardHead } from "./CardHead";
import { CheckIns } from "./CheckIns";
import { Company } from "./Company";
import { openForm, useDesk } from "./desk";
import { Dispatch } from "./Dispatch";
import { Handler, HandlerForm } from "./Handler";
import { CancelForm, CloseForm, HoldForm, ReclassifyForm, RelocateForm, ReopenForm } from "./IncidentActs";
import { MatchLine } from "./PlaceField";
import { Links } from "./Links";
import { PastActs } from "./ReplayBar";
import { Summary, SummaryForm } from "./Summary";
import { Tasks } from "./Tasks";
import { Timeline } from "./Timeline";
import { WhatThen } from "./WhatThen";
import { WhoseLine } from "./WhoseLine";

/** Up to here (0 public, 1 operational) everybody at the desks may know: nothing to say. */
const ORDINARY = 1;
/** What others are told that is being changed here. */
const EDITS: Partial<Record<string, Editing>> = { summary: "summary", reclassify: "type", relocate: "place" };

export function IncidentCard({ incident }: { incident: Placed<Incident> }) {
  const form = useDesk((state) => state.form);
  const mayDispatch = useMay("unit.dispatch");
  const mayUpdate = useMay("incident.update");
  const past = useInPast();
  const { type } = useCatalogue();
  if (incident.masked)
    return (
      <>
        <CardHead mark={null} title={t("incident.masked")} code={incident.code} />
        <p className="card-empty">{t("incident.maskedWhy")}</p>
      </>
    );
  const over = isOver(incident);
  const target = type(incident.type_code)?.response_seconds;
  return (
    <>
      <CardHead
        mark={<PriorityMark level={incident.priority} size={36} muted={over} hollow={incident.state === "under_control"} />}
        title={incident.type_name}
        code={incident.code}
        place={placeLine(incident.place, incident.zone) || t("report.noPlace")}
        side={<TargetTimer incident={incident} big />}
      />
      <p className="state-line">
        <span className={`state-chip${over ? " state-chip-over" : ""}`}>{word("state", incident.state)}</span>
        {isUnacknowledged(incident) && <span className="state-chip state-chip-hot">{t("incident.unacknowledged")}</span>}
        {incident.reports > 0 && <span>{t("incident.reports", { count: incident.reports })}</span>}
        {target != null && incident.due_at && !over && <span>{t("incident.target", { n: Math.round(target / 60), hour: hourSeconds(incident.due_at) })}</span>}
        {incident.disposition && <Disposition code={incident.disposition} />}
        {incident.sensitivity > ORDINARY && <span className="state-chip">{t(`sensitivity.${incident.sensitivity}`)}</span>}
      </p>
      <MatchLine match={incident.place_match} />
      <WhoseLine of={incident} />
      <Company key={`company:${incident.id}`} incident={incident.id} editing={EDITS[form ?? ""] ?? ""} />
      <Handler key={`handler:${incident.id}`} incident={incident} />
      <Summary incident={incident} mayChange={mayUpdate && !over && form !== "summary"} />
      {form === "summary" && <SummaryForm key={`summary:${incident.id}`} incident={incident} />}
      {form === "handler" && <HandlerForm incident={incident} />}
      {!over && !past && <Premises at={incident.at} place={incident.place ?? ""} incident={incident.id} />}
      <Stamps stamps={incident.stamps} />
      <WhatThen key={`then:${incident.id}`} incident={incident} />
      {past ? <Rested /> : <Acts incident={incident} over={over} />}
      {form === "close" && <CloseForm incident={incident} />}
      {form === "cancel" && <CancelForm incident={incident} />}
      {form === "hold" && <HoldForm incident={incident} />}
      {form === "reclassify" && <ReclassifyForm incident={incident} />}
      {form === "relocate" && <RelocateForm incident={incident} />}
      {form === "reopen" && <ReopenForm incident={incident} />}
      <Assignments incident={incident} />
      {!over && <CheckIns incident={incident} />}
      {mayDispatch && !over && form === null && <Dispatch key={`dispatch:${incident.id}`} incident={incident} />}
      {!past && <Tasks incident={incident} />}
      <Links incident={incident} />
      <Timeline incident={incident} />
    </>
  );
}

function Disposition({ code }: { code: string }) {
  const { dispositions } = useCatalogue();
  return <span>{dispositions.find((each) => each.code === code)?.name ?? code}</span>;
}

/** The milestones so far, in a row: each leg's hour. A missing one is blank, never zero. */
const SHOWN_STAMPS = ["T4", "T5", "T7", "T8", "T9", "T11", "T14", "T16"] as const;

function Stamps({ stamps }: { stamps: Incident["stamps"] }) {
  const known = SHOWN_STAMPS.filter((name) => stamps[name]);
  if (known.length === 0) return null;
  return (
    <ol className="stamps">
      {known.map((name) => (
        <li key={name}>
          <small>{t(`stamp.${name}`)}</small>
          <time>{hourSeconds(stamps[name] ?? "")}</time>
        </li>
      ))}
    </ol>
  );
}

/** What one could do with it in the present, at rest. */
function Rested() {
  const granted = [
    useGranted("unit.dispatch") && t("dispatch.title"),
    useGranted("incident.close") && t("incident.close"),
    useGranted("incident.update") && t("form.priority"),
    useGranted("note.add") && t("timeline.newNote"),
  ];
  return <PastActs acts={granted.filter((each) => each !== false)} />;
}

function Acts({ incident, over }: { incident: Placed<Incident>; over: boolean }) {
  const mayUpdate = useMay("incident.update");
  const mayClose = useMay("incident.close");
  useKey("c", () => openForm("close"), mayClose && !over);
  useKey("p", () => openForm("reclassify"), mayUpdate && !over);
  const quick = (act: () => Promise<{ undo?: UndoOffer | null }>, said: string) => void act().then((done) => say(said, undoOf(done)), sayFailed);
  if (over)
    return mayClose && (incident.state === "closed" || incident.state === "cancelled") ? (
      <div className="card-actions">
        <Button variant="default" size="sm" onClick={() => openForm("reopen")}>
          {t("incident.reopen")}
        </Button>
      </div>
    ) : null;
  return (
    <div className="card-actions">
      {mayClose && (
        <Button size="sm" variant="default" onClick={() => openForm("close")}>
          {t("incident.close")} <kbd>{"C"}</kbd>
        </Button>
      )}
      {mayUpdate && (
        <Button size="sm" variant="default" onClick={() => openForm("reclassify")}>
          {t("form.priority")} <kbd>{"P"}</kbd>
        </Button>
      )}
      {mayUpdate && incident.state === "on_scene" && (
        <Button size="sm" variant="default" onClick={() => quick(() => underControl(incident.id), t("incident.nowUnderControl", { code: incident.code }))}>
          {t("incident.underControl")}
        </Button>
      )}
      {mayUpdate && (
        <Menu position="bottom-start">
          <Menu.Target>
            <Button size="sm" variant="default" rightSection={<IconChevronDown size={14} />}>
              {t("incident.more")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => openForm("reclassify")}>{t("incident.reclassify")}</Menu.Item>
            <Menu.Item onClick={() => openForm("summary")}>{t("summary.edit")}</Menu.Item>
            <Menu.Item onClick={() => openForm("relocate", incident.at)}>{t("incident.relocate")}</Menu.Item>
            {incident.assignments.length === 0 && incident.state !== "waiting" && <Menu.Item onClick={() => openForm("hold")}>{t("incident.hold")}</Menu.Item>}
            {incident.state === "under_control" && <Menu.Item onClick={() => quick(() => finish(incident.id), t("incident.nowFinished", { code: incident.code }))}>{t("incident.finish")}</Menu.Item>}
            {mayClose && <Menu.Divider />}
            {mayClose && <Menu.Item onClick={() => openForm("cancel")}>{t("incident.cancel")}</Menu.Item>}
          </Menu.Dropdown>
        </Menu>
      )}
    </div>
  );
}
