import { IconArrowRight, IconBackspace, IconDoorExit, IconLogin2 } from "@tabler/icons-react";
import { useEffect, useState, type FormEvent } from "react";
import { newId, Refusal } from "../lib/api";
import { explain } from "../lib/explain";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { Logo } from "../lib/ui/Logo";
import { clockIn, clockWhere } from "../lib/verbs";
import type { Clocked } from "../lib/wire";
import "./attendance.css";

const PIN = 4; // digits at the least; eight at most
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "back"] as const;

/** Signing in and out of duty with the vehicle's code and a PIN, on whatever telephone is at hand. */
export function Attendance() {
  const [code, setCode] = useState(codeHere);
  const [place, setPlace] = useState<{ where: string; unit: boolean } | null>(null);
  const [wrong, setWrong] = useState<"none" | "unknown" | "unreachable">("none");
  const [file, setFile] = useState("");
  const [pin, setPin] = useState("");
  const [id, setId] = useState(newId);
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [done, setDone] = useState<Clocked | null>(null);

  useEffect(() => {
    const follow = () => setCode(codeHere());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  useEffect(() => {
    if (!code) return;
    let gone = false;
    clockWhere(code).then(
      (found) => gone || (setPlace(found), setWrong("none")),
      (error: unknown) => gone || setWrong(error instanceof Refusal && error.unreachable ? "unreachable" : "unknown"),
    );
    return () => {
      gone = true;
    };
  }, [code]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!file.trim() || pin.length < PIN || sending) return;
    setSending(true);
    setFailure(null);
    try {
      setDone(await clockIn({ id, code, file_number: file.trim(), pin }));
      setId(newId());
      setFile("");
    } catch (error) {
      // The same id goes out again when nothing answered: it may have arrived.
      if (!(error instanceof Refusal && error.unreachable)) setId(newId());
      setFailure(error instanceof Refusal && error.unreachable ? t("attendance.unreachable") : explain(error));
    } finally {
      setPin("");
      setSending(false);
    }
  }
  const press = (key: string) => {
    setFailure(null);
    setPin(key === "back" ? pin.slice(0, -1) : (pin + key).slice(0, 8));
  };

  return (
    <main className="clocking">
      <header>
        <Logo />
        <h1>{place ? t("attendance.at", { where: place.where }) : t("attendance.title")}</h1>
      </header>
      {!code || wrong !== "none" ? (
        <p className="clocking-note" role="alert">
          {t(!code ? "attendance.scan" : wrong === "unknown" ? "attendance.unknown" : "attendance.unreachable")}
        </p>
      ) : done ? (
        <section className="clocked" data-what={done.what} role="status">
          {done.what === "out" ? <IconDoorExit size={64} aria-hidden /> : <IconLogin2 size={64} aria-hidden />}
          <p>{t(`attendance.done.${done.what}`, { where: done.where, role: done.role.toLowerCase(), hour: hour(done.at) })}</p>
          {done.what !== "out" && <small>{t("attendance.until", { hour: hour(done.due_at) })}</small>}
          <button type="button" className="clocking-send" onClick={() => setDone(null)}>
            {t("attendance.next")}
          </button>
        </section>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <label>
            {t("attendance.file")}
            <input value={file} onChange={(event) => setFile(event.currentTarget.value)} autoComplete="off" autoCapitalize="characters" inputMode="text" enterKeyHint="next" maxLength={40} spellCheck={false} />
          </label>
          <label>
            {t("attendance.pin")}
            <input type="password" value={pin} onChange={(event) => setPin(event.currentTarget.value.replace(/\D/g, "").slice(0, 8))} autoComplete="off" inputMode="none" aria-describedby="clocking-said" />
          </label>
          <p id="clocking-said" className="clocking-said" role="alert">
            {failure ?? ""}
          </p>
          <div className="keypad">
            {KEYS.map((key, which) =>
              key === "" ? (
                <span key={which} />
              ) : (
                <button key={key} type="button" onClick={() => press(key)} aria-label={key === "back" ? t("attendance.back") : key}>
                  {key === "back" ? <IconBackspace size={28} aria-hidden /> : key}
                </button>
              ),
            )}
          </div>
          <button type="submit" className="clocking-send" disabled={!file.trim() || pin.length < PIN || sending}>
            {t(sending ? "attendance.sending" : "attendance.send")} <IconArrowRight size={24} aria-hidden />
          </button>
        </form>
      )}
    </main>
  );
}

/** Behind the # of the address, so that it stands in no log. */
const codeHere = (): string => decodeURIComponent(location.hash.slice(1));
