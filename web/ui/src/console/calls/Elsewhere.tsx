import { Button } from "@mantine/core";
import { IconArrowForwardUp, IconMoodSmile, IconVolumeOff } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useCatalogue } from "../../lib/catalogue";
import { channelsFor, type Caller, type Channel } from "../../lib/calls";
import { t } from "../../lib/i18n";
import { useDigits, useKey } from "../../lib/keys";
import { deflectIntake, prankIntake, silentIntake, useSubmission } from "./submit";

const SHOWN = 9;

/** What a call becomes when it is not ours: another channel's, nobody's voice, or a prank. Each leaves its trace and can be undone. */
export function Elsewhere({ type, phone, known }: { type: string | null; phone: string; known: Caller | null }) {
  const words = useCatalogue();
  const { busy } = useSubmission();
  const [open, setOpen] = useState<"deflect" | "silent" | null>(null);
  const turn = (which: "deflect" | "silent") => setOpen((is) => (is === which ? null : which));
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (open) section.current?.scrollIntoView({ block: "nearest" });
  }, [open]);
  useKey(["x", "alt+x"], () => turn("deflect"));
  useKey(["q", "alt+q"], () => (open === "silent" ? void silentIntake() : setOpen("silent")), !busy);
  useKey(["h", "alt+h"], () => void prankIntake(), !busy);
  useKey("escape", () => setOpen(null), open !== null);
  return (
    <section ref={section} className="card-section elsewhere" aria-label={t("calls.elsewhere.title")}>
      <h3>{t("calls.elsewhere.title")}</h3>
      <div className="card-actions-row">
        <Button type="button" size="compact-sm" variant="default" aria-expanded={open === "deflect"} leftSection={<IconArrowForwardUp size={15} />} onClick={() => turn("deflect")}>
          {t("calls.elsewhere.deflect")} <kbd>{"X"}</kbd>
        </Button>
        <Button type="button" size="compact-sm" variant="default" aria-expanded={open === "silent"} leftSection={<IconVolumeOff size={15} />} onClick={() => turn("silent")}>
          {t("calls.elsewhere.silent")} <kbd>{"Q"}</kbd>
        </Button>
        <Button type="button" size="compact-sm" variant="default" disabled={busy} leftSection={<IconMoodSmile size={15} />} onClick={() => void prankIntake()}>
          {t("calls.elsewhere.prank")} <kbd>{"H"}</kbd>
        </Button>
      </div>
      {open === "deflect" && <Channels channels={channelsFor(words, type)} busy={busy} />}
      {open === "silent" && (
        <div className="silent-protocol" role="status">
          <ol>
            <li>{t("calls.silentProtocol.ask")}</li>
            <li>{known?.flag ? t("calls.silentProtocol.flagged", { why: known.flag.why || t("calls.flag.reasons.asked"), name: known.flag.by }) : phone.trim() ? t("calls.silentProtocol.callBack", { phone: phone.trim() }) : t("calls.silentProtocol.noNumber")}</li>
            {known && known.silent_last_hour >= 2 && <li>{t("calls.silentProtocol.repeated", { n: known.silent_last_hour + 1 })}</li>}
          </ol>
          <Button type="button" size="compact-sm" loading={busy} onClick={() => void silentIntake()}>
            {t("calls.silentProtocol.close")} <kbd>{"Q"}</kbd>
          </Button>
        </div>
      )}
    </section>
  );
}

/** One press: the phone and what to say are read before, and stay in the toast's undo for ten seconds. */
export function Channels({ channels, busy, onPick = (channel) => void deflectIntake(channel) }: { channels: Channel[]; busy: boolean; onPick?: (channel: Channel) => void }) {
  const [all, setAll] = useState(false);
  const shown = all ? channels : channels.slice(0, SHOWN);
  useDigits((index) => {
    const one = shown[index];
    if (one && !busy) onPick(one);
  });
  if (channels.length === 0) return <p className="hint">{t("calls.elsewhere.noChannels")}</p>;
  return (
    <>
      <ol className="channels">
        {shown.map((channel, index) => (
          <li key={channel.code}>
            <button type="button" disabled={busy} onClick={() => onPick(channel)}>
              {index < 9 ? <kbd>{index + 1}</kbd> : <span />}
              <span>
                <strong>
                  {channel.name}
                  {channel.phone && ` · ${channel.phone}`}
                </strong>
                <small>{`«${channel.say}»`}</small>
              </span>
            </button>
          </li>
        ))}
      </ol>
      {shown.length < channels.length && (
        <button type="button" className="link-button" onClick={() => setAll(true)}>
          {t("calls.elsewhere.more", { n: channels.length - shown.length })}
        </button>
      )}
    </>
  );
}
