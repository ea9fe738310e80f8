import "./storm.css";
import { Button, TextInput } from "@mantine/core";
import { IconRoute, IconStack2, IconStorm } from "@tabler/icons-react";
import { useEffect, useState, type FormEvent } from "react";
import { newId } from "../lib/api";
import { useDraftLine } from "../lib/drafts";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { beginStorm, endStorm } from "../lib/verbs";
import { desk, openForm, useDesk } from "./desk";
import { useAct } from "./useAct";
import { setGrouped, useGrouped, useLoad, useStorm } from "./useStorm";

const NOT_NOW = 15 * 60_000;

/** Whether the city is in storm mode, how much there is, and the ways to what it gathers. Nothing while there is none. */
export function StormStrip() {
  const storm = useStorm();
  const may = useMay("storm.control");
  const mayGive = useMay("unit.dispatch");
  const mayGroup = useMay("report.triage");
  const asked = useDesk((state) => state.storm);
  const form = useDesk((state) => state.form);
  const grouped = useGrouped();
  const { data } = useLoad(storm !== null || may);
  const [declined, setDeclined] = useState(false);
  useKey("g s", () => (storm ? openForm("circuits") : may && desk.setState({ storm: "begin" })), storm !== null || may);
  useEffect(() => {
    if (!declined) return;
    const again = setTimeout(() => setDeclined(false), NOT_NOW);
    return () => clearTimeout(again);
  }, [declined]);

  if (!storm) {
    if (may && asked === "begin") return <Ask what="begin" />;
    if (!may || declined || !data?.load.over || data.policy.automatic) return null;
    return (
      <div className="storm-strip storm-offer" role="status">
        <IconStorm size={17} aria-hidden />
        <span>{t("storm.offer", { reports: data.load.reports, minutes: data.policy.window_minutes, waiting: data.load.waiting })}</span>
        <span className="storm-acts">
          <Button size="compact-sm" variant="default" onClick={() => desk.setState({ storm: "begin" })}>
            {t("storm.begin")}
          </Button>
          <Button size="compact-sm" variant="subtle" onClick={() => setDeclined(true)}>
            {t("storm.notNow")}
          </Button>
        </span>
      </div>
    );
  }
  const counts = data && [
    t("storm.reports", { count: data.load.reports, minutes: data.policy.window_minutes }),
    t("storm.waiting", { count: data.load.waiting }),
    t("storm.free", { count: data.load.free }),
  ];
  return (
    <section className="storm-strip" aria-label={t("storm.title")}>
      <IconStorm size={19} aria-hidden />
      <p>
        <strong>{t("storm.since", { hour: hour(storm.began_at) })}</strong>
        {counts && <span>{counts.join(" · ")}</span>}
        <small>{[t(storm.automatic ? "storm.byItself" : "storm.by", { who: storm.began_by }), storm.reason].filter(Boolean).join(": ")}</small>
      </p>
      <span className="storm-acts">
        {mayGroup && (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconStack2 size={15} />}
            onClick={() => {
              setGrouped(!grouped);
              desk.setState({ pane: "queue" });
            }}
          >
            {t(grouped ? "storm.seeAll" : "storm.seeGrouped")}
          </Button>
        )}
        {mayGive && (
          <Button size="compact-sm" variant="default" aria-pressed={form === "circuits"} leftSection={<IconRoute size={15} />} onClick={() => openForm(form === "circuits" ? null : "circuits")}>
            {t("storm.circuits.title")} <kbd>{"G S"}</kbd>
          </Button>
        )}
        {may && (
          <Button size="compact-sm" variant="subtle" onClick={() => desk.setState({ storm: asked === "end" ? null : "end" })}>
            {t("storm.end")}
          </Button>
        )}
      </span>
      {may && asked === "end" && <Ask what="end" />}
    </section>
  );
}

/** Beginning needs no reason, but it is asked for: whoever comes after wants to know. */
function Ask({ what }: { what: "begin" | "end" }) {
  const [id] = useState(newId);
  const [reason, setReason, discard] = useDraftLine(`storm:${what}`);
  const { busy, failure, act } = useAct();
  const leave = () => desk.setState({ storm: null });
  useEffect(() => leave, []);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    const done = await act(async () => {
      await (what === "begin" ? beginStorm(id, reason) : endStorm(reason));
      return true;
    });
    if (!done) return;
    discard();
    say(t(`storm.said.${what}`));
    leave();
  }
  return (
    <form className={what === "begin" ? "storm-strip storm-ask" : "storm-ask"} onSubmit={(event) => void submit(event)} onKeyDown={(event) => event.key === "Escape" && leave()}>
      {what === "begin" && <IconStorm size={19} aria-hidden />}
      <TextInput size="xs" autoFocus maxLength={200} label={t(`storm.ask.${what}`)} placeholder={t(`storm.ask.${what}Example`)} value={reason} onChange={(event) => setReason(event.currentTarget.value)} error={failure} />
      <span className="storm-acts">
        <Button size="compact-sm" type="submit" loading={busy}>
          {t(what === "begin" ? "storm.begin" : "storm.end")} <kbd>{"↵"}</kbd>
        </Button>
        <Button size="compact-sm" variant="subtle" onClick={leave}>
          {t("action.cancel")} <kbd>{"Esc"}</kbd>
        </Button>
      </span>
    </form>
  );
}
