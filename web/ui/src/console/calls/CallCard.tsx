import "./calls.css";
import { Button, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconCopy, IconPhoneCall, IconPhoneIncoming, IconPhoneOff, IconPlus, IconSend } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent, type KeyboardEvent } from "react";
import { useCatalogue } from "../../lib/catalogue";
import { isPhone, scoreDuplicates, type Caller as Known, type Duplicate } from "../../lib/calls";
import { distance, hour } from "../../lib/format";
import { t } from "../../lib/i18n";
import { useKey } from "../../lib/keys";
import { useMay } from "../../lib/session";
import type { LonLat } from "../../lib/verbs";
import { CardHead } from "../CardHead";
import { select, setPlace } from "../desk";
import { isSolid, useIntake, write } from "../intake";
import { Caller, useCaller } from "./Caller";
import { DuplicateList, scoreWords } from "./Duplicates";
import { Elsewhere } from "./Elsewhere";
import { Fields } from "./Fields";
import { clearIntake, refuseIncoming, ring, saveNow, takeIncoming, takeParked, useParked } from "./keep";
import { Premises, usePremises } from "./Premises";
import { Proposed } from "./Proposed";
import { Questions, useWeighed } from "./Questions";
import { joinIntake, knowCatalogue, submission, submitIntake, useSubmission } from "./submit";

const SETTLES = 500; // ms without a letter before asking again whether it is the same as another

/** A call is taken: `N`, a double click on the map, or a telephone that rings. One draft with the command line. */
export function CallCard() {
  const draft = useIntake((all) => all);
  const words = useCatalogue();
  const mayDispatch = useMay("unit.dispatch");
  const { busy, failure } = useSubmission();
  const { weighed } = useWeighed(draft);
  const { known, failed, again } = useCaller(draft.phone);
  const duplicates = useDuplicates();
  const likely = duplicates.found[0]?.likely ? duplicates.found[0] : null;
  const solid = isSolid(draft);
  useEffect(() => knowCatalogue(words), [words]);
  useEffect(() => () => saveNow(), []);
  useEffect(() => {
    if (solid) submission.setState({ failure: null });
  }, [solid]);

  const create = (dispatch: boolean) => void submitIntake({ dispatch });
  useKey("ctrl+enter", () => create(mayDispatch));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      create(mayDispatch);
    }
    if (event.key === "Escape" && !event.defaultPrevented) {
      event.stopPropagation();
      event.nativeEvent.stopImmediatePropagation();
      select(null);
    }
  };
  return (
    <>
      <CardHead mark={<IconPhoneCall size={24} aria-hidden />} title={t("calls.title")} code={t("calls.hint")} />
      <Waiting />
      <form
        className="call"
        noValidate
        onKeyDown={onKeyDown}
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          create(false);
        }}
      >
        <div className="call-main">
          <Fields value={draft} change={write} />
          <div className="call-who">
            <TextInput label={t("calls.name")} value={draft.name} maxLength={200} autoComplete="off" onChange={(event) => write({ name: event.currentTarget.value })} />
            <TextInput label={t("calls.phone")} type="tel" value={draft.phone} maxLength={40} autoComplete="off" onChange={(event) => write({ phone: event.currentTarget.value.replace(/[^0-9+() .-]/g, "") })} />
          </div>
          <Questions asked={draft} change={write} />
        </div>
        <div className="call-side">
          <Duplicates {...duplicates} />
          <Premises at={draft.at} place={draft.place} />
          <Caller phone={draft.phone} known={known} failed={failed} again={again} wanted={draft.doNotCallBack} onWanted={(doNotCallBack) => write({ doNotCallBack })} />
          {mayDispatch && <Proposed level={weighed.level} />}
          <Elsewhere type={draft.type} phone={draft.phone} known={known} />
          <button
            type="button"
            className="link-button call-clear"
            onClick={() => {
              clearIntake();
              setPlace(null);
            }}
          >
            {t("form.clear")}
          </button>
        </div>
        <footer className="call-foot">
          <Notices likely={likely} at={draft.at} known={known} />
          {failure && (
            <p className="form-failure" role="alert">
              {failure}
            </p>
          )}
          {mayDispatch && (
            <Button type="button" size="sm" loading={busy} aria-disabled={!solid} className={solid ? undefined : "not-solid"} leftSection={<IconSend size={16} />} onClick={() => create(true)}>
              {t("calls.createAndSend")} <kbd>{"Ctrl ↵"}</kbd>
            </Button>
          )}
          <Button type="submit" size="sm" variant={mayDispatch ? "default" : "filled"} loading={busy} aria-disabled={!solid} className={solid ? undefined : "not-solid"} leftSection={<IconPlus size={16} />}>
            {t("form.create")} <kbd>{mayDispatch ? "↵" : "Ctrl ↵"}</kbd>
          </Button>
          <Button type="button" size="sm" variant="subtle" color="gray" title={t("action.leaveForLater")} onClick={() => select(null)}>
            {t("calls.leave")} <kbd>{"Esc"}</kbd>
          </Button>
        </footer>
      </form>
    </>
  );
}

/** A telephone that rings while another call is being taken waits its turn; a call that was put aside is taken up again. */
function Waiting() {
  const { incoming, aside } = useParked();
  if (incoming === null && aside.length === 0) return null;
  return (
    <div className="call-waiting">
      {incoming !== null && (
        <p role="alert">
          <IconPhoneIncoming size={18} aria-hidden />
          <span>{t("calls.ringing", { phone: incoming })}</span>
          <Button type="button" size="compact-sm" onClick={takeIncoming}>
            {t("calls.takeRinging")}
          </Button>
          <button type="button" className="link-button" onClick={refuseIncoming}>
            {t("calls.notNow")}
          </button>
        </p>
      )}
      {aside.map((each) => (
        <p key={each.draft.reportId}>
          <span>{t("calls.aside", { what: each.draft.place || each.draft.phone || each.draft.note || t("calls.title"), hour: hour(each.at) })}</span>
          <Button type="button" size="compact-sm" variant="default" onClick={() => takeParked(each.draft.reportId)}>
            {t("calls.takeUp")}
          </Button>
        </p>
      ))}
    </div>
  );
}

/** "Is it the same as another?", asked again when what is told has settled. */
function useDuplicates() {
  const at = useIntake((draft) => draft.at);
  const type = useIntake((draft) => draft.type);
  const note = useSettled(useIntake((draft) => draft.note));
  const phone = useSettled(useIntake((draft) => draft.phone));
  const { data, isError, refetch } = useQuery({
    queryKey: ["duplicates", at?.join() ?? "", type, note, phone],
    queryFn: () => (at ? scoreDuplicates(at, { type_code: type ?? undefined, words: note || undefined, phone: isPhone(phone) ? phone : undefined }) : Promise.resolve([])),
    enabled: at !== null,
    placeholderData: (before, query) => (query?.queryKey[1] === at?.join() ? before : undefined), // never another place's
    staleTime: 10_000,
    refetchInterval: 20_000,
  });
  const found: Duplicate[] = at === null ? [] : (data ?? []);
  return { found, failed: at !== null && isError && !data, again: () => void refetch() };
}

/** The score in the open; one key joins. */
function Duplicates({ found, failed, again }: ReturnType<typeof useDuplicates>) {
  const { busy } = useSubmission();
  const join = (one: Duplicate | undefined) => one && void joinIntake(one);
  useKey(["v", "alt+v"], () => join(found[0]), !busy && found.length > 0);
  if (found.length === 0 && !failed) return null;
  return (
    <section className="card-section" aria-label={t("duplicates.title")}>
      <h3>{t("duplicates.title")}</h3>
      {failed ? (
        <p className="form-failure" role="alert">
          {t("report.similarFailed")}{" "}
          <button type="button" className="link-button" onClick={again}>
            {t("action.retry")}
          </button>
        </p>
      ) : (
        <DuplicateList found={found} busy={busy} onJoin={join} digits={false} opens={false} />
      )}
    </section>
  );
}

/** What must not be missed while it lies below the fold: said again beside the buttons. */
function Notices({ likely, at, known }: { likely: Duplicate | null; at: LonLat | null; known: Known | null }) {
  const warnings = usePremises(at);
  if (!likely && warnings.length === 0 && !known?.flag) return null;
  return (
    <ul className="call-notices">
      {likely && (
        <li>
          <IconCopy size={16} aria-hidden /> <span>{t("calls.notice.duplicate", { type: likely.type_name, distance: distance(likely.metres), score: scoreWords(likely.score) })}</span> <kbd>{"V"}</kbd>
        </li>
      )}
      {warnings.length > 0 && (
        <li>
          <IconAlertTriangle size={16} aria-hidden /> <span>{warnings.map(({ kind, words }) => `${t(`premises.kinds.${kind}`)}: ${words}`).join(" · ")}</span>
        </li>
      )}
      {known?.flag && (
        <li>
          <IconPhoneOff size={16} aria-hidden /> <span>{t("calls.flag.title")}</span>
        </li>
      )}
    </ul>
  );
}

function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text.trim()), SETTLES);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

/** A telephone that rings opens `/consola?llamado=<number>`: any exchange can open an address. The number does not stay in it. */
export function useRinging(open: () => void, may: boolean): void {
  useEffect(() => {
    const parts = new URLSearchParams(location.search);
    const phone = parts.get("llamado");
    if (phone === null) return;
    parts.delete("llamado");
    const rest = parts.toString();
    history.replaceState(history.state, "", location.pathname + (rest ? `?${rest}` : "") + location.hash);
    if (!may) return;
    const said = phone.replace(/[^0-9+() .-]/g, "").trim().slice(0, 40);
    if (said !== "") ring(said);
    open();
    // Once, as the page is entered.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
}
