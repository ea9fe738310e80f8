import "./major.css";
import { Button, CloseButton, Menu, Select, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconPlus, IconPolygon, IconStrikethrough, IconUrgent } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { newId, Refusal } from "../lib/api";
import type { Placed } from "../lib/board";
import { clock } from "../lib/clock";
import { useDraft, useDraftLine } from "../lib/drafts";
import { hour, hourSeconds, running, stamp } from "../lib/format";
import { t, word } from "../lib/i18n";
import { board, useBoard, useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { say, sayFailed } from "../lib/toasts";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { UnitPill } from "../lib/ui/UnitPill";
import { addSector, closeMajor, endSector, givePost, majorAdd, majorLog, majorPlace, majorProposed, majorRemove, majorResources, majors as listMajors, markObjective, openMajor, reopenMajor, sectorLead, setObjective, strikeLog, writeLog } from "../lib/verbs";
import { MAJOR_KINDS, MAJOR_ROLES, SECTOR_COLOURS, type Incident, type Major, type MajorKind, type MajorLine, type MajorMember, type MajorRole, type MajorUnit, type UnitStatus } from "../lib/wire";
import { desk, select, useDesk } from "./desk";
import { Strike } from "./Strike";
import { sentence } from "./Timeline";
import { useAct } from "./useAct";

const close = () => desk.setState({ major: null });
const quietly = (work: Promise<unknown>) => void work.catch(sayFailed);

/** The board of one major incident over the whole console: who commands, its sectors with their units, objectives and the log. */
export function MajorBoard() {
  useBoard();
  const id = useDesk((state) => state.major);
  const frame = useRef<HTMLElement>(null);
  useEffect(() => {
    if (id !== null) frame.current?.focus();
  }, [id]);
  if (id === null) return null;
  const major = id ? board.get<Major>(`major:${id}`) : null;
  return (
    <section ref={frame} className="major-board" role="dialog" aria-label={major?.name ?? t("majors.title")} tabIndex={-1}>
      {major ? <Board key={major.id} major={major} /> : <Choose gone={id !== ""} />}
    </section>
  );
}

function Head({ title, aside, children }: { title: string; aside?: string; children?: ReactNode }) {
  return (
    <div className="major-head">
      <IconUrgent size={26} aria-hidden />
      <div className="major-title">
        <h1>{title}</h1>
        {aside && <p>{aside}</p>}
      </div>
      {children}
      <CloseButton size="lg" aria-label={t("action.close")} onClick={close} />
    </div>
  );
}

/* ------------------------------------------------------------------ none chosen */

function Choose({ gone }: { gone: boolean }) {
  const mayRun = useMay("major.run");
  const open = board.majors();
  const { data } = useQuery({ queryKey: ["majors", "closed", open.length], queryFn: () => listMajors("closed") });
  return (
    <>
      <Head title={t("majors.title")} aside={gone ? t("majors.gone") : undefined} />
      <div className="major-choose">
        {mayRun && <NewMajor />}
        <section>
          <h2>{t("majors.open")}</h2>
          {open.length === 0 && <p className="card-empty">{t("majors.none")}</p>}
          <ul className="major-list">
            {open.map((one) => (
              <li key={one.id}>
                <button type="button" className="link-button" onClick={() => desk.setState({ major: one.id })}>
                  {one.name}
                </button>
                <small>{`${one.code} · ${t(`majors.kind.${one.kind}`)}`}</small>
              </li>
            ))}
          </ul>
          <h2>{t("majors.closed")}</h2>
          <ul className="major-list">
            {(data?.features ?? []).map(({ properties: one }) => (
              <li key={one.id}>
                <span>{one.name}</span>
                <small>{[one.code, one.closed_at && stamp(one.closed_at, clock.now()), one.outcome].filter(Boolean).join(" · ")}</small>
                {mayRun && (
                  <button type="button" className="link-button" onClick={() => quietly(reopenMajor(one.id, t("majors.reopenReason")).then(() => desk.setState({ major: one.id })))}>
                    {t("majors.reopen")}
                  </button>
                )}
              </li>
            ))}
          </ul>
        </section>
      </div>
    </>
  );
}

function NewMajor() {
  const [draft, change, discard] = useDraft<{ id: string; name: string; kind: MajorKind; level: string }>("major", { id: newId(), name: "", kind: "storm", level: "1" });
  const { busy, failure, act } = useAct();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!draft.name.trim()) return;
    void act(() => openMajor({ id: draft.id, name: draft.name.trim(), kind: draft.kind, level: Number(draft.level) })).then((made) => {
      if (!made) return;
      discard();
      change({ id: newId(), name: "" });
      desk.setState({ major: made.properties.id });
    });
  };
  return (
    <form className="major-new" onSubmit={submit}>
      <h2>{t("majors.new")}</h2>
      <TextInput label={t("majors.name")} placeholder={t("majors.nameExample")} value={draft.name} maxLength={200} onChange={(event) => change({ name: event.currentTarget.value })} />
      <Select label={t("majors.what")} allowDeselect={false} value={draft.kind} data={MAJOR_KINDS.map((value) => ({ value, label: t(`majors.kind.${value}`) }))} onChange={(next) => next && change({ kind: next as MajorKind })} />
      <Select label={t("majors.reach")} allowDeselect={false} value={draft.level} data={["1", "2", "3"].map((value) => ({ value, label: t(`majors.level.${value}`) }))} onChange={(next) => next && change({ level: next })} />
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <Button type="submit" loading={busy} disabled={!draft.name.trim()} leftSection={<IconUrgent size={16} />}>
        {t("majors.send")}
      </Button>
    </form>
  );
}

/* ------------------------------------------------------------------ the board */

function Board({ major }: { major: Placed<Major> }) {
  const now = useSecond();
  const mayRun = useMay("major.run");
  const [closing, setClosing] = useState(false);
  const members = board.members().filter(({ major_id }) => major_id === major.id);
  // Asked again when anything of its incidents changes; the board knows their versions.
  const versions = members.map(({ incident_id, version }) => `${version}.${board.get<Incident>(`incident:${incident_id}`)?.version ?? 0}`).join(",");
  const { data: resources } = useQuery({ queryKey: ["major-resources", major.id, major.version, versions], queryFn: () => majorResources(major.id), placeholderData: keepPreviousData });
  const gaps = resources?.gaps ?? [];
  return (
    <>
      <Head title={major.name} aside={`${major.code} · ${t(`majors.kind.${major.kind}`)} · ${t(`majors.level.${major.level}`)} · ${t("majors.since", { hour: stamp(major.opened_at, now), age: running(now - Date.parse(major.opened_at)) })}`}>
        <div className="major-acts">
          {mayRun && <Proposal major={major} />}
          {mayRun && (
            <Button size="compact-sm" variant="default" leftSection={<IconPolygon size={15} />} onClick={() => draw(major, null)}>
              {t(major.shape ? "majors.perimeterAgain" : "majors.perimeter")}
            </Button>
          )}
          {mayRun && (
            <Button size="compact-sm" variant="default" onClick={() => setClosing(true)}>
              {t("majors.close")}
            </Button>
          )}
        </div>
      </Head>
      {closing && <Closing major={major} onDone={() => setClosing(false)} />}
      <Posts major={major} mayRun={mayRun} now={now} />
      {gaps.length > 0 && (
        <ul className="major-gaps" aria-label={t("majors.gaps")}>
          {gaps.map(({ what, code }) => (
            <li key={`${what}${code ?? ""}`}>
              <IconAlertTriangle size={15} aria-hidden /> {t(`majors.gap.${what}`, { code })}
            </li>
          ))}
        </ul>
      )}
      <div className="major-main">
        <Sectors major={major} members={members} units={resources?.units ?? []} mayRun={mayRun} now={now} />
        <div className="major-side">
          <Objectives major={major} mayRun={mayRun} now={now} />
          <Log major={major} versions={versions} mayRun={mayRun} now={now} />
        </div>
      </div>
    </>
  );
}

function draw(major: Major, sector: { id: string; name: string } | null): void {
  desk.setState({ area: { major: major.id, sector: sector?.id ?? null, name: sector?.name ?? major.name }, major: null, form: null, list: false, pane: "map" });
}

/** All open ones within the perimeter that belong to none: named before they are added. */
function Proposal({ major }: { major: Major }) {
  const [open, setOpen] = useState(false);
  const { data } = useQuery({ queryKey: ["major-proposed", major.id, major.version, open], queryFn: () => majorProposed(major.id), enabled: open });
  const found = data?.incidents ?? [];
  const add = () => {
    setOpen(false);
    void majorAdd(major.id, newId(), found.map(({ incident_id }) => incident_id)).then(({ added }) => say(t("majors.added", { count: added.length })), sayFailed);
  };
  return (
    <Menu opened={open} onChange={setOpen} position="bottom-end" width={360}>
      <Menu.Target>
        <Button size="compact-sm" leftSection={<IconPlus size={15} />}>
          {t("majors.add")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{data ? t("majors.proposed", { count: found.length }) : t("page.loading")}</Menu.Label>
        <div className="major-proposed">
          {found.map(({ incident_id, code, type_name, priority, place }) => (
            <p key={incident_id}>
              <PriorityMark level={priority} size={18} /> {type_name} <small>{`${code} · ${place ?? ""}`}</small>
            </p>
          ))}
        </div>
        {found.length > 0 && <Menu.Item onClick={add}>{t("majors.addAll", { count: found.length })}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}

function Closing({ major, onDone }: { major: Major; onDone: () => void }) {
  const [outcome, setOutcome, discard] = useDraftLine(`major:close:${major.id}`);
  const [inside, setInside] = useState<string | null>(null);
  const { busy, failure, act } = useAct();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void act(async () => {
      try {
        await closeMajor(major.id, outcome.trim(), inside !== null);
        say(t("majors.nowClosed", { name: major.name }), () => reopenMajor(major.id, t("majors.reopenReason")));
        discard();
        close();
        return true;
      } catch (error) {
        if (error instanceof Refusal && error.problem?.code === "StillOpenInside") setInside(error.problem.title);
        else throw error;
        return null;
      }
    });
  };
  return (
    <form className="major-closing" onSubmit={submit}>
      <TextInput autoFocus size="sm" label={t("majors.outcome")} value={outcome} maxLength={200} onChange={(event) => setOutcome(event.currentTarget.value)} />
      {inside && <p role="alert">{inside}</p>}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <div className="form-buttons">
        <Button type="submit" size="sm" loading={busy} disabled={!outcome.trim()}>
          {t(inside ? "majors.closeAnyway" : "majors.close")}
        </Button>
        <Button size="sm" variant="subtle" color="gray" onClick={onDone}>
          {t("action.back")}
        </Button>
      </div>
    </form>
  );
}

/* ------------------------------------------------------------------ posts */

function Posts({ major, mayRun, now }: { major: Major; mayRun: boolean; now: number }) {
  const [giving, setGiving] = useState<MajorRole | null>(null);
  return (
    <ol className="major-posts">
      {MAJOR_ROLES.map((role) => {
        const held = major.posts.find((post) => post.role === role);
        return (
          <li key={role} className={held ? undefined : "major-post-empty"}>
            <small>{t(`majors.role.${role}`)}</small>
            {giving === role ? (
              <GivePost major={major} role={role} onDone={() => setGiving(null)} />
            ) : (
              <button type="button" disabled={!mayRun} title={mayRun ? t("majors.handOver") : undefined} onClick={() => setGiving(role)}>
                <strong>{held?.holder ?? "—"}</strong>
                {held && <small>{[held.organization, t("majors.from", { hour: stamp(held.since, now) })].filter(Boolean).join(" · ")}</small>}
              </button>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function GivePost({ major, role, onDone }: { major: Major; role: MajorRole; onDone: () => void }) {
  const [holder, setHolder, discardHolder] = useDraftLine(`major:holder:${major.id}:${role}`);
  const [organization, setOrganization, discardOrganization] = useDraftLine(`major:organization:${major.id}:${role}`);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (holder.trim()) quietly(givePost(major.id, { id: newId(), role, holder: holder.trim(), organization: organization.trim() || undefined }).then(() => (discardHolder(), discardOrganization(), onDone())));
  };
  return (
    <form onSubmit={submit}>
      <TextInput autoFocus size="xs" aria-label={t("majors.holder")} placeholder={t("majors.holder")} value={holder} maxLength={200} onChange={(event) => setHolder(event.currentTarget.value)} />
      <TextInput size="xs" aria-label={t("majors.organization")} placeholder={t("majors.organization")} value={organization} maxLength={200} onChange={(event) => setOrganization(event.currentTarget.value)} />
      <span className="form-buttons">
        <Button type="submit" size="compact-xs" disabled={!holder.trim()}>
          {t("majors.handOver")}
        </Button>
        <Button size="compact-xs" variant="subtle" color="gray" onClick={onDone}>
          {t("action.back")}
        </Button>
      </span>
    </form>
  );
}

/* ------------------------------------------------------------------ sectors */

interface Column {
  id: string | null;
  name: string;
  colour: string;
  lead: string;
}

function Sectors({ major, members, units, mayRun, now }: { major: Placed<Major>; members: MajorMember[]; units: MajorUnit[]; mayRun: boolean; now: number }) {
  const columns: Column[] = [...major.sectors, ...(members.some(({ sector_id }) => sector_id === null) || major.sectors.length === 0 ? [{ id: null, name: t("majors.noSector"), colour: "none", lead: "" }] : [])];
  return (
    <div className="major-sectors">
      {columns.map((column) => (
        <SectorColumn key={column.id ?? ""} major={major} column={column} members={members.filter(({ sector_id }) => sector_id === column.id)} units={units.filter(({ sector_id }) => sector_id === column.id)} mayRun={mayRun} now={now} />
      ))}
      {mayRun && <NewSector major={major} />}
    </div>
  );
}

function SectorColumn({ major, column, members, units, mayRun, now }: { major: Placed<Major>; column: Column; members: MajorMember[]; units: MajorUnit[]; mayRun: boolean; now: number }) {
  const waiting = units.filter(({ staging }) => staging);
  const { id } = column;
  return (
    <section className={`major-sector sector-${column.colour}`}>
      <header>
        <h2>{column.name}</h2>
        <span>{t("majors.counts", { incidents: members.length, units: units.length })}</span>
      </header>
      {id && (
        <div className="sector-lead">
          {mayRun ? (
            <TextInput
              size="xs"
              key={column.lead}
              aria-label={t("majors.lead")}
              placeholder={t("majors.leadMissing")}
              defaultValue={column.lead}
              maxLength={200}
              onBlur={(event) => event.currentTarget.value.trim() !== column.lead && quietly(sectorLead(major.id, id, event.currentTarget.value.trim()))}
              onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
            />
          ) : (
            <span>{column.lead || t("majors.leadMissing")}</span>
          )}
          {mayRun && (
            <Menu position="bottom-end">
              <Menu.Target>
                <Button size="compact-xs" variant="subtle" color="gray" aria-label={t("majors.sectorMore", { name: column.name })}>
                  {"…"}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => draw(major, { id, name: column.name })}>{t("majors.sectorDraw")}</Menu.Item>
                <Menu.Item onClick={() => quietly(endSector(major.id, id))}>{t("majors.sectorEnd")}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </div>
      )}
      {members.length === 0 && <p className="card-empty">{t("majors.emptySector")}</p>}
      <ul className="sector-incidents">
        {members.map((member) => (
          <Member key={member.id} major={major} member={member} units={units.filter(({ incident_id, staging }) => incident_id === member.incident_id && !staging)} mayRun={mayRun} now={now} />
        ))}
      </ul>
      {waiting.length > 0 && (
        <div className="sector-staging">
          <h3>{t("majors.staging")}</h3>
          <ul>
            {waiting.map((unit) => (
              <UnitLine key={unit.assignment_id} unit={unit} now={now} />
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function Member({ major, member, units, mayRun, now }: { major: Placed<Major>; member: MajorMember; units: MajorUnit[]; mayRun: boolean; now: number }) {
  const incident = board.get<Incident>(`incident:${member.incident_id}`);
  const go = () => {
    close();
    select(`incident:${member.incident_id}`);
  };
  return (
    <li>
      <div className="member-head">
        {incident && <PriorityMark level={incident.priority} size={22} />}
        <button type="button" disabled={!incident} onClick={go}>
          <strong>{incident?.type_name ?? member.code}</strong>
          <small>{incident ? [member.code, incident.place, word("state", incident.state)].filter(Boolean).join(" · ") : t("links.offBoard")}</small>
        </button>
        {mayRun && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button size="compact-xs" variant="subtle" color="gray" aria-label={t("majors.memberMore", { code: member.code })}>
                {"…"}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {[...major.sectors, null].map(
                (sector) =>
                  (sector?.id ?? null) !== member.sector_id && (
                    <Menu.Item key={sector?.id ?? ""} onClick={() => quietly(majorPlace(major.id, member.incident_id, sector?.id ?? null))}>
                      {t("majors.moveTo", { name: sector?.name ?? t("majors.noSector") })}
                    </Menu.Item>
                  ),
              )}
              <Menu.Divider />
              <Menu.Item onClick={() => quietly(majorRemove(major.id, member.incident_id, t("majors.removeReason")))}>{t("majors.remove")}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      {units.length > 0 && (
        <ul>
          {units.map((unit) => (
            <UnitLine key={unit.assignment_id} unit={unit} now={now} />
          ))}
        </ul>
      )}
    </li>
  );
}

function UnitLine({ unit, now }: { unit: MajorUnit; now: number }) {
  return (
    <li className="sector-unit">
      <UnitPill status={unit.status as UnitStatus} waiting={unit.status === "assigned"} />
      <b>{unit.call_sign}</b>
      <span>{unit.staging ? unit.staging.name : word("assignment.status", unit.status)}</span>
      <small>{unit.checked_in ? t("majors.checkedIn", { hour: hour(unit.checked_in) }) : running(now - Date.parse(unit.since))}</small>
      {unit.gaps.length > 0 && <IconAlertTriangle size={14} aria-label={t("majors.unitGaps", { count: unit.gaps.length })} />}
    </li>
  );
}

function NewSector({ major }: { major: Major }) {
  const [name, setName, discard] = useDraftLine(`major:sector:${major.id}`);
  const free = SECTOR_COLOURS.find((colour) => !major.sectors.some((sector) => sector.colour === colour)) ?? SECTOR_COLOURS[major.sectors.length % SECTOR_COLOURS.length] ?? "sky";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) quietly(addSector(major.id, { id: newId(), name: name.trim(), colour: free }).then(discard));
  };
  return (
    <form className={`sector-new sector-${free}`} onSubmit={submit}>
      <TextInput size="xs" aria-label={t("majors.sectorName")} placeholder={t("majors.sectorName")} value={name} maxLength={200} onChange={(event) => setName(event.currentTarget.value)} />
      <Button type="submit" size="compact-sm" variant="default" disabled={!name.trim()} leftSection={<IconPlus size={14} />}>
        {t("majors.sectorAdd")}
      </Button>
    </form>
  );
}

/* ------------------------------------------------------------------ objectives and the log */

const PERIODS = [2, 6, 12, 24];

function Objectives({ major, mayRun, now }: { major: Major; mayRun: boolean; now: number }) {
  const [text, setText, discard] = useDraftLine(`major:objective:${major.id}`);
  const [hours, setHours] = useState("6");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    const from = clock.now();
    const period = { period_from: new Date(from).toISOString(), period_until: new Date(from + Number(hours) * 3_600_000).toISOString() };
    quietly(setObjective(major.id, { id: newId(), text: text.trim(), ...period }).then(discard));
  };
  return (
    <section className="major-objectives">
      <h2>{t("majors.objectives")}</h2>
      {major.objectives.length === 0 && <p className="card-empty">{t("majors.noObjectives")}</p>}
      <ul>
        {major.objectives.map((one) => (
          <li key={one.id} className={one.reached_at ? "objective-reached" : Date.parse(one.until) < now ? "objective-late" : undefined}>
            <label>
              <input type="checkbox" checked={one.reached_at !== null} disabled={!mayRun} onChange={() => quietly(markObjective(major.id, one.id, one.reached_at === null))} />
              <span>{one.text}</span>
            </label>
            <small>{one.reached_at ? t("majors.reached", { hour: hour(one.reached_at), by: one.reached_by }) : t("majors.period", { from: hour(one.from), until: hour(one.until) })}</small>
          </li>
        ))}
      </ul>
      {mayRun && (
        <form onSubmit={submit}>
          <TextInput size="xs" aria-label={t("majors.objective")} placeholder={t("majors.objective")} value={text} maxLength={300} onChange={(event) => setText(event.currentTarget.value)} />
          <Select size="xs" w={84} aria-label={t("majors.periodOf")} allowDeselect={false} value={hours} data={PERIODS.map((n) => ({ value: String(n), label: t("majors.hours", { n }) }))} onChange={(next) => next && setHours(next)} />
          <Button type="submit" size="compact-sm" variant="default" disabled={!text.trim()} aria-label={t("majors.objectiveAdd")}>
            <IconCheck size={15} />
          </Button>
        </form>
      )}
    </section>
  );
}

function Log({ major, versions, mayRun, now }: { major: Major; versions: string; mayRun: boolean; now: number }) {
  const [draft, change, discard] = useDraft(`major-log:${major.id}`, { id: newId(), text: "" });
  const { busy, failure, act } = useAct();
  const { data, refetch } = useQuery({ queryKey: ["major-log", major.id, major.version, versions], queryFn: () => majorLog(major.id), placeholderData: keepPreviousData });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!draft.text.trim()) return;
    void act(() => writeLog(major.id, draft.id, draft.text.trim())).then((done) => {
      if (!done) return;
      discard();
      change({ id: newId(), text: "" });
      void refetch();
    });
  };
  return (
    <section className="major-log">
      <h2>{t("majors.log")}</h2>
      {mayRun && (
        <form onSubmit={submit}>
          <TextInput size="xs" aria-label={t("majors.write")} placeholder={t("majors.write")} value={draft.text} maxLength={2000} onChange={(event) => change({ text: event.currentTarget.value })} />
          <Button type="submit" size="compact-sm" loading={busy} disabled={!draft.text.trim()}>
            {t("timeline.add")}
          </Button>
        </form>
      )}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <ol className="entries">
        {(data?.lines ?? []).toReversed().map((line) => (
          <LogLine key={line.id} line={line} major={major} now={now} mayStrike={mayRun} onStruck={() => void refetch()} />
        ))}
      </ol>
    </section>
  );
}

function LogLine({ line, major, now, mayStrike, onStruck }: { line: MajorLine; major: Major; now: number; mayStrike: boolean; onStruck: () => void }) {
  const mine = line.kind === "written";
  const [striking, setStriking] = useState(false);
  return (
    <li className={mine ? "entry entry-note" : "entry"}>
      <time dateTime={line.at}>{stamp(line.at, now)}</time>
      <div>
        {mine ? (
          <p>
            {line.struck ? <del>{line.text}</del> : line.text}
            {line.struck && <small>{t("timeline.struck", { by: line.struck.by, hour: hourSeconds(line.struck.at), reason: line.struck.reason })}</small>}
          </p>
        ) : (
          <p>{said(line, major)}</p>
        )}
        {line.quotes && <blockquote>{`${line.quotes.incident?.code ?? ""} · ${said(line.quotes, major)}`}</blockquote>}
        <small>
          {line.incident && <b className="entry-of">{line.incident.code}</b>} {line.by}
        </small>
        {striking && !line.struck && <Strike line={line.id} strike={(reason) => strikeLog(major.id, line.id, reason)} onDone={() => { setStriking(false); onStruck(); }} onCancel={() => setStriking(false)} />}
      </div>
      {mine && !line.struck && mayStrike && !striking && (
        <button type="button" className="entry-strike" aria-label={t("timeline.strike")} title={t("timeline.strike")} onClick={() => setStriking(true)}>
          <IconStrikethrough size={15} />
        </button>
      )}
    </li>
  );
}

/** What was decided, with the names that its codes stand for. */
function said({ kind, detail = {} }: MajorLine, major: Major): string {
  const text = sentence({ kind, detail });
  const sector = major.sectors.find(({ id }) => id === detail.sector_id)?.name;
  const role = typeof detail.role === "string" ? t(`majors.role.${detail.role}`) : undefined;
  return [text, sector ?? role].filter(Boolean).join(" · ");
}
