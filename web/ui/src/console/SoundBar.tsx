import "./sound.css";
import { IconVolume, IconVolumeOff } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { t } from "../lib/i18n";
import { noteTest, playTest, startSounds, useSound, wake } from "../lib/player";
import { startPreferences } from "../lib/prefs";
import { useSession } from "../lib/session";

const SHIFT = 12 * 3_600_000;
const ASK_AGAIN = 30 * 60_000;
const LISTENERS: ReadonlySet<string> = new Set(["call_taker", "dispatcher", "supervisor"]);

const keyOf = (person: string): string => `vigia:sonido-probado:${person}`;

/** Until when the sound of this browser needs no test for this person. */
function testedUntil(person: string): number {
  try {
    return Number(localStorage.getItem(keyOf(person)) ?? 0);
  } catch {
    return 0;
  }
}

function remember(person: string, forTime: number): void {
  try {
    localStorage.setItem(keyOf(person), String(Date.now() + forTime));
  } catch {
    // Asked again after a reload, then.
  }
}

type Step = "try" | "heard" | "fix" | "done";

/** Whether this seat sounds: blocked by the browser, not tried this shift, or well and then nothing. It takes no focus and no room from the map. */
export function SoundBar() {
  const { person } = useSession();
  const listens = LISTENERS.has(person.role);
  const blocked = useSound((state) => state.blocked);
  const elsewhere = useSound((state) => state.elsewhere);
  const [step, setStep] = useState<Step>(() => (testedUntil(person.id) > Date.now() ? "done" : "try"));
  useEffect(() => {
    startPreferences();
    if (listens) startSounds();
  }, [listens]);
  if (!listens || elsewhere) return null;
  const test = () =>
    void wake().then((runs) => {
      if (!runs) return;
      playTest();
      setStep("heard");
    });
  const leave = (forTime: number) => {
    remember(person.id, forTime);
    setStep("done");
  };
  const say = (heard: boolean) => {
    noteTest(heard);
    if (heard) leave(SHIFT);
    else setStep("fix");
  };
  if (blocked)
    return (
      <div className="sound-bar sound-bar-blocked" role="status">
        <button type="button" onClick={() => void wake()}>
          <IconVolumeOff size={18} aria-hidden /> <strong>{t("sound.blocked")}</strong>
        </button>
      </div>
    );
  if (step === "done") return null;
  return (
    <section className="sound-bar" aria-label={t("sound.test")}>
      <IconVolume size={18} aria-hidden />
      <span role="status">{t(`sound.${step}`)}</span>
      {step === "heard" ? (
        <>
          <button type="button" onClick={() => say(true)}>
            {t("sound.yes")}
          </button>
          <button type="button" onClick={() => say(false)}>
            {t("sound.no")}
          </button>
        </>
      ) : (
        <>
          <button type="button" onClick={test}>
            {t(step === "fix" ? "sound.again" : "sound.test")}
          </button>
          <button type="button" onClick={() => leave(ASK_AGAIN)}>
            {t("sound.later")}
          </button>
        </>
      )}
    </section>
  );
}
