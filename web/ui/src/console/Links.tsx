import { Button, TextInput } from "@mantine/core";
import { IconArrowMerge, IconArrowsSplit, IconLink, IconUnlink, IconUrgent } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { newId } from "../lib/api";
import type { Placed } from "../lib/board";
import { useDraft, useDraftLine } from "../lib/drafts";
import { distance, hour } from "../lib/format";
import { t, word } from "../lib/i18n";
import { useDigits, useKey } from "../lib/keys";
import { board, useBoard } from "../lib/live";
import { useInPast } from "../lib/moment";
import { isOver } from "../lib/queue";
import { useMay } from "../lib/session";
import { say, sayFailed } from "../lib/toasts";
import { linkIncidents, majorAdd, mergeInto, near, reportsInside, splitOff, takeBack } from "../lib/verbs";
import type { Incident, Link, LinkWord, NearIncident } from "../lib/wire";
import { Chips } from "./ClosureForm";
import { desk, openForm, select, useDesk } from "./desk";
import { useAct } from "./useAct";

const WORDS: LinkWord[] = ["related", "duplicate", "parent", "child"];

/** What the other end of a link is, seen from one of them. */
export function linkWords(link: Link, of: string) {
  const here = link.from.id === of;
  return { other: here ? link.to : link.from, text: t(`links.is.${link.kind}.${here ? "from" : "to"}`) };
}

/** Take a link back, and say what could not be put back. */
async function undoLink(link: string): Promise<void> {
  const { left } = await takeBack(link);
  say(left.length === 0 ? t("links.undone") : `${t("links.undoneBut")} ${left.map(({ why }) => t(`links.left.${why}`)).join(" · ")}`);
}

/** How this incident hangs together with others: whom it belongs to, merged, split, linked. `V` to say so. */
export function Links({ incident }: { incident: Placed<Incident> }) {
  useBoard();
  const form = useDesk((state) => state.form);
  const mayLink = useMay("incident.update");
  const mayMerge = useMay("incident.close");
  const mayRun = useMay("major.run");
  const past = useInPast();
  const over = isOver(incident);
  const links = board.links(incident.id);
  const majors = board.majors();
  const member = board.members().find(({ incident_id }) => incident_id === incident.id);
  const major = majors.find(({ id }) => id === member?.major_id);
  const sector = major?.sectors.find(({ id }) => id === member?.sector_id);
  useKey("v", () => openForm("link"), mayLink && !over);
  const into = majors[0];
  const join = (id: string, name: string) =>
    void majorAdd(id, newId(), [incident.id]).then(() => say(t("majors.nowIn", { code: incident.code, name })), sayFailed);
  if (links.length === 0 && !member && (over || !mayLink)) return null;
  return (
    <section className="card-section links">
      <h3>{t("links.title")}</h3>
      {(links.length > 0 || major) && (
        <ul className="bond-chips">
          {major && (
            <li>
              <button type="button" className="bond-chip bond-chip-major" disabled={past} title={past ? t("replay.rests.present") : undefined} onClick={() => desk.setState({ major: major.id })}>
                <IconUrgent size={15} aria-hidden /> {major.name}
                {sector && ` · ${sector.name}`}
              </button>
            </li>
          )}
          {links.map((link) => (
            <Chip key={link.id} link={link} of={incident.id} mayUndo={link.kind === "merged" || link.kind === "split" ? mayMerge : mayLink} />
          ))}
        </ul>
      )}
      {form === "link" ? (
        <LinkForm incident={incident} mayMerge={mayMerge} />
      ) : form === "split" ? (
        <SplitForm incident={incident} />
      ) : (
        !over && (
          <div className="form-buttons">
            {mayLink && (
              <Button size="compact-sm" variant="default" leftSection={<IconLink size={15} />} onClick={() => openForm("link")}>
                {t(mayMerge ? "links.openMerge" : "links.open")} <kbd>{"V"}</kbd>
              </Button>
            )}
            {mayMerge && (incident.reports > 1 || incident.assignments.length > 1 || (incident.reports > 0 && incident.assignments.length > 0)) && (
              <Button size="compact-sm" variant="default" leftSection={<IconArrowsSplit size={15} />} onClick={() => openForm("split")}>
                {t("links.split")}
              </Button>
            )}
            {mayRun && !member && into && (
              <Button size="compact-sm" variant="default" leftSection={<IconUrgent size={15} />} onClick={() => join(into.id, into.name)}>
                {t("majors.addTo", { name: into.name })}
              </Button>
            )}
          </div>
        )
      )}
    </section>
  );
}

function Chip({ link, of, mayUndo }: { link: Link; of: string; mayUndo: boolean }) {
  const { other, text } = linkWords(link, of);
  const there = board.get<Incident>(`incident:${other.id}`);
  return (
    <li title={[link.reason, `${link.made_by} ${hour(link.made_at)}`, link.from.eido].filter(Boolean).join(" · ")}>
      <button type="button" className="bond-chip" disabled={!there} onClick={() => select(`incident:${other.id}`)}>
        {link.kind === "merged" ? <IconArrowMerge size={15} aria-hidden /> : link.kind === "split" ? <IconArrowsSplit size={15} aria-hidden /> : <IconLink size={15} aria-hidden />}
        <span>{text}</span> <b>{other.code}</b>
        {there && !there.masked && <small>{`${there.type_name} · ${word("state", there.state)}`}</small>}
        {!there && <small>{t("links.offBoard")}</small>}
      </button>
      {mayUndo && (
        <button type="button" className="link-undo" aria-label={t("links.undo", { code: other.code })} title={t("links.undo", { code: other.code })} onClick={() => void undoLink(link.id).catch(sayFailed)}>
          <IconUnlink size={15} />
        </button>
      )}
    </li>
  );
}

/** With which one: those near in place and time, or by the end of the code. Linked by a word, or merged into it. */
function LinkForm({ incident, mayMerge }: { incident: Placed<Incident>; mayMerge: boolean }) {
  const [draft, change, discard] = useDraft<{ act: LinkWord | "merge"; reason: string }>(`link:${incident.id}`, { act: "related", reason: "" });
  const [code, setCode] = useState("");
  const { busy, failure, act } = useAct();
  const { data, isPending } = useQuery({ queryKey: ["near", incident.id, incident.version, code.trim()], queryFn: () => near(incident.id, code.trim()), placeholderData: keepPreviousData });
  const found = data?.incidents ?? [];
  const send = (other: NearIncident | undefined) => {
    if (!other || busy) return;
    const id = newId();
    const merge = draft.act === "merge";
    void act(() => (draft.act === "merge" ? mergeInto(incident.id, id, other.incident_id, draft.reason) : linkIncidents(incident.id, id, other.incident_id, draft.act, draft.reason))).then((made) => {
      if (!made) return;
      discard();
      openForm(null);
      say(t(merge ? "links.nowMerged" : "links.nowLinked", { code: incident.code, other: other.code }), () => undoLink(id));
      if (merge) select(`incident:${other.incident_id}`);
    });
  };
  useDigits((index) => send(found[index]));
  // Once, when it opens: nothing may move under a hand because an answer came.
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    frame.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const acts = [...WORDS, ...(mayMerge ? (["merge"] as const) : [])];
  return (
    <div ref={frame} className="act">
      <Chips legend={t("links.how")} name="link-act" all={acts} chosen={[draft.act]} label={(one) => t(`links.acts.${one}`)} onChoose={(next) => change({ act: next })} />
      <p className="hint">{t(`links.hints.${draft.act}`, { code: incident.code })}</p>
      <TextInput autoFocus label={t("links.code")} placeholder={t("links.codeHint")} value={code} maxLength={20} onChange={(event) => setCode(event.currentTarget.value)} />
      <TextInput label={t("form.reasonOptional")} value={draft.reason} maxLength={200} onChange={(event) => change({ reason: event.currentTarget.value })} />
      {found.length === 0 ? (
        <p className="card-empty">{t(isPending ? "page.loading" : code ? "links.noCode" : "links.noneNear")}</p>
      ) : (
        <ol className="near">
          {found.map((one, index) => (
            <li key={one.incident_id}>
              <button type="button" disabled={busy} onClick={() => send(one)}>
                {index < 9 && <kbd>{index + 1}</kbd>}
                <span>
                  <strong>{one.type_name}</strong> {one.code}
                  <small>{one.place}</small>
                </span>
                <span className="near-facts">
                  {distance(one.metres)}
                  <small>{t(one.seconds < 0 ? "links.before" : "links.after", { n: Math.round(Math.abs(one.seconds) / 60) })}</small>
                  {one.same_type && <small>{t("links.sameType")}</small>}
                </span>
              </button>
            </li>
          ))}
        </ol>
      )}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <div className="form-buttons">
        <Button variant="subtle" color="gray" size="sm" onClick={() => openForm(null)}>
          {t("action.back")} <kbd>{"Esc"}</kbd>
        </Button>
      </div>
    </div>
  );
}

/** Which reports and units are another incident after all. */
function SplitForm({ incident }: { incident: Placed<Incident> }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [reason, setReason, discard] = useDraftLine(`split:${incident.id}`);
  const { busy, failure, act } = useAct();
  const { data } = useQuery({ queryKey: ["inside", incident.id, incident.version], queryFn: () => reportsInside(incident.id) });
  const toggle = (id: string) =>
    setChosen((held) => {
      const next = new Set(held);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const send = () => {
    const [id, fresh] = [newId(), newId()];
    const report_ids = (data?.features ?? []).map(({ properties }) => properties.id).filter((each) => chosen.has(each));
    const assignment_ids = incident.assignments.map((each) => each.id).filter((each) => chosen.has(each));
    void act(() => splitOff(incident.id, { id, incident_id: fresh, report_ids, assignment_ids, reason: reason.trim() || undefined })).then((made) => {
      if (!made) return;
      discard();
      openForm(null);
      say(t("links.nowSplit", { code: incident.code, other: made.to.code }), () => undoLink(id));
      select(`incident:${fresh}`);
    });
  };
  const row = (id: string, text: string, aside: string) => (
    <li key={id}>
      <label className={chosen.has(id) ? "split-row split-row-on" : "split-row"}>
        <input type="checkbox" checked={chosen.has(id)} onChange={() => toggle(id)} />
        <span>{text}</span>
        <small>{aside}</small>
      </label>
    </li>
  );
  return (
    <div className="act">
      <p className="hint">{t("links.splitHint")}</p>
      <ul className="split-rows">
        {(data?.features ?? []).map(({ properties: { id, words, received_at } }) => row(id, words, hour(received_at)))}
        {incident.assignments.map(({ id, call_sign, status }) => row(id, call_sign, word("assignment.status", status)))}
      </ul>
      <TextInput label={t("form.reasonOptional")} value={reason} maxLength={200} onChange={(event) => setReason(event.currentTarget.value)} />
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <div className="form-buttons">
        <Button size="sm" loading={busy} disabled={chosen.size === 0} onClick={send}>
          {t("links.splitSend", { count: chosen.size })}
        </Button>
        <Button variant="subtle" color="gray" size="sm" onClick={() => openForm(null)}>
          {t("action.back")} <kbd>{"Esc"}</kbd>
        </Button>
      </div>
    </div>
  );
}
