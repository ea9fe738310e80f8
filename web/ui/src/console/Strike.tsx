import { Button, TextInput } from "@mantine/core";
import { useDraftLine } from "../lib/drafts";
import { t } from "../lib/i18n";
import { useAct } from "./useAct";

interface Props {
  /** The line that is crossed out, its id. */
  line: string;
  strike: (reason: string) => Promise<unknown>;
  onDone: () => void;
  onCancel: () => void;
}

/** Crossing out what was written, with the reason: the text stays, crossed. */
export function Strike({ line, strike, onDone, onCancel }: Props) {
  const [reason, setReason, discard] = useDraftLine(`strike:${line}`);
  const { busy, failure, act } = useAct();
  return (
    <form
      className="strike"
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim()) void act(() => strike(reason.trim())).then((done) => done !== null && (discard(), onDone()));
      }}
    >
      <TextInput size="xs" autoFocus label={t("timeline.strikeWhy")} value={reason} maxLength={200} onChange={(event) => setReason(event.currentTarget.value)} />
      <Button type="submit" size="compact-sm" loading={busy} disabled={!reason.trim()}>
        {t("timeline.strike")}
      </Button>
      <Button size="compact-sm" variant="subtle" color="gray" onClick={onCancel}>
        {t("action.back")}
      </Button>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
    </form>
  );
}
