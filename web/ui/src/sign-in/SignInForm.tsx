import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { Refusal } from "../lib/api";
import { explain } from "../lib/explain";
import { t } from "../lib/i18n";
import { signIn } from "../lib/session";
import type { Session } from "../lib/wire";

/** The same form for the front door and for the door that closed behind someone (then the name is known). */
export function SignInForm({ username: known = "", onDone }: { username?: string; onDone: (session: Session) => void }) {
  const [username, setUsername] = useState(known);
  const [password, setPassword] = useState("");
  const [caps, setCaps] = useState(false);
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [missing, setMissing] = useState({ username: false, password: false });
  const passwordField = useRef<HTMLInputElement>(null);
  const usernameField = useRef<HTMLInputElement>(null);

  useEffect(() => {
    (known ? passwordField : usernameField).current?.focus();
  }, [known]);

  const watchCaps = (event: KeyboardEvent) => setCaps(event.getModifierState("CapsLock"));

  async function submit(event: FormEvent) {
    event.preventDefault();
    const empty = { username: username.trim() === "", password: password === "" };
    setMissing(empty);
    if (empty.username) return usernameField.current?.focus();
    if (empty.password) return passwordField.current?.focus();
    setSending(true);
    setFailure(null);
    try {
      onDone(await signIn(username.trim(), password));
    } catch (error) {
      setSending(false);
      setFailure(inWords(error));
      passwordField.current?.select();
      passwordField.current?.focus();
    }
  }

  return (
    <form className="sign-in-form" onSubmit={(event) => void submit(event)} noValidate>
      <TextInput
        ref={usernameField}
        label={t("signIn.username")}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        size="md"
        value={username}
        error={missing.username && t("signIn.missingUsername")}
        onChange={(event) => setUsername(event.currentTarget.value)}
        disabled={sending}
      />
      <PasswordInput
        ref={passwordField}
        data-autofocus={known !== "" || undefined}
        label={t("signIn.password")}
        autoComplete="current-password"
        size="md"
        value={password}
        error={missing.password && t("signIn.missingPassword")}
        onChange={(event) => setPassword(event.currentTarget.value)}
        onKeyDown={watchCaps}
        onKeyUp={watchCaps}
        visibilityToggleButtonProps={{ "aria-label": t("signIn.showPassword"), tabIndex: 0 }}
        disabled={sending}
      />
      <p className="sign-in-caps" role="status">
        {caps ? t("signIn.capsLock") : ""}
      </p>
      {failure !== null && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <Button type="submit" size="md" fullWidth loading={sending}>
        {t("signIn.enter")}
      </Button>
    </form>
  );
}

function inWords(error: unknown): string {
  if (error instanceof Refusal) {
    const seconds = Number(error.problem.facts?.retry_after ?? error.problem.facts?.seconds);
    if (error.status === 429) return seconds > 0 ? t("signIn.tooManyFor", { n: seconds }) : t("signIn.tooMany");
    if (error.status === 401 && !error.problem.title) return t("signIn.wrong");
  }
  return explain(error);
}
