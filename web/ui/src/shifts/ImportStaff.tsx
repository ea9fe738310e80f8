import { Button, Modal, Textarea } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useAct } from "../console/useAct";
import { t } from "../lib/i18n";
import { importStaff } from "../lib/verbs";

type Done = Awaited<ReturnType<typeof importStaff>>;

/** A list from a spreadsheet: lines that are wrong are left out one by one, and say why. */
export function ImportStaff({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [text, setText] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [done, setDone] = useState<Done | null>(null);
  const { busy, failure, act } = useAct();
  async function submit(event: FormEvent) {
    event.preventDefault();
    setDone(await act(() => importStaff(file ?? text)));
  }
  return (
    <Modal opened={opened} onClose={onClose} size="lg" title={t("shifts.staff.import")} closeButtonProps={{ "aria-label": t("shifts.close") }}>
      <form className="sheet-form" onSubmit={(event) => void submit(event)}>
        <p className="shifts-note">{t("shifts.import.how")}</p>
        <input type="file" accept=".csv,text/csv,text/plain" aria-label={t("shifts.import.file")} onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
        <Textarea disabled={file !== null} label={t("shifts.import.text")} autosize minRows={5} maxRows={12} value={text} onChange={(event) => setText(event.currentTarget.value)} spellCheck={false} />
        {failure && <p className="form-failure" role="alert">{failure}</p>}
        {done && (
          <div role="status">
            <strong>{t("shifts.import.done", { added: done.added, amended: done.amended, same: done.same })}</strong>
            <ul className="plain-list">
              {done.errors.map(({ line, column, message }) => (
                <li key={`${line} ${column}`}>{t("shifts.import.refused", { line, column, message })}</li>
              ))}
            </ul>
          </div>
        )}
        <Button type="submit" loading={busy} disabled={!file && !text.trim()}>
          {t("shifts.import.send")}
        </Button>
      </form>
    </Modal>
  );
}
